// How fast the agent captures: an upload over the pod's loopback, what was captured of it, what was dropped, and the CPU that it took.
import { resolve } from 'node:path'
import { linesOf } from '../stage/lines.ts'
import type { Pod } from '../stage/pod.ts'
import type { Programs } from './compile.ts'

const uploadBytes = 4 * (1 << 30)

export async function benchCapture(pod: Pod, programs: Programs): Promise<string[]> {
  const child = pod.namespace.spawn(
    resolve('node_modules/.bin/tsx'),
    ['test/bench/capture-in-pod.ts', String(pod.port)],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  const lines = linesOf(child.stdout)
  await lines.until('the capture', line => line === 'capturing')
  const { seconds } = JSON.parse(
    await pod.namespace.run(programs.load, 'upload', `127.0.0.1:${pod.port}`, String(uploadBytes)),
  )
  child.stdin!.end()
  const counted = JSON.parse(await lines.until('the counters', line => line.startsWith('{')))
  const gigabytes = counted.bytes / 1e9
  return [
    `capture on loopback (goal: 1 GB/s): sent at ${(uploadBytes / 1e9 / seconds).toFixed(2)} GB/s, captured ${gigabytes.toFixed(2)} of ${(uploadBytes / 1e9).toFixed(2)} GB, ${counted.ringDrops} packets dropped of ${counted.packets + counted.ringDrops}, ${counted.gaps} gaps`,
    `CPU of the agent: ${(counted.cpuSeconds / gigabytes).toFixed(2)} s per GB captured`,
  ]
}
