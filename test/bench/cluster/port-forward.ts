// Our port-forward against kubectl's, down and up, and the time of an echo through each.
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { echoPort, orderPort, startChannelPod } from '../../cluster/stage/channel-pod.ts'
import { type Comparison, interleaved, median } from '../measure.ts'
import { startKubectlForward } from './kubectl-forward.ts'

const bytes = 256 << 20
const echoes = 300
type Dial = (port: number) => Promise<Duplex>

export async function benchPortForward(runs: number): Promise<Comparison[]> {
  const pod = await startChannelPod()
  const kubectl = await startKubectlForward(pod.namespace, pod.pod, [orderPort, echoPort])
  const ours: Dial = port => pod.connect(port)
  const side = (measure: (dial: Dial) => Promise<number>) => ({
    baseline: () => measure(kubectl.dial),
    measured: () => measure(ours),
  })
  try {
    return [
      await interleaved('port-forward, 256 MiB down, ours against kubectl (goal: at most 1)', {
        runs,
        unit: 's',
        ...side(download),
      }),
      await interleaved('port-forward, 256 MiB up, ours against kubectl (goal: at most 1)', {
        runs,
        unit: 's',
        ...side(upload),
      }),
      await interleaved('port-forward, echo p50, ours against kubectl', { runs, unit: 'ms', ...side(echo) }),
    ]
  } finally {
    await kubectl.end()
    await pod.end()
  }
}

async function download(dial: Dial): Promise<number> {
  const stream = await dial(orderPort)
  const begin = performance.now()
  stream.write(`${JSON.stringify({ send: bytes })}\n`)
  let received = 0
  stream.on('data', (chunk: Buffer) => {
    received += chunk.length
  })
  await once(stream, 'end')
  const seconds = (performance.now() - begin) / 1000
  stream.destroy()
  if (received !== bytes) throw new Error(`${received} bytes came of ${bytes}`)
  return seconds
}

const block = Buffer.alloc(65_536)

async function upload(dial: Dial): Promise<number> {
  const stream = await dial(orderPort)
  const begin = performance.now()
  stream.write(`${JSON.stringify({ receive: bytes })}\n`)
  const answer = once(stream, 'data') as Promise<[Buffer]>
  for (let sent = 0; sent < bytes; sent += block.length) if (!stream.write(block)) await once(stream, 'drain')
  const [text] = await answer
  const seconds = (performance.now() - begin) / 1000
  stream.destroy()
  if (JSON.parse(text.toString()).received !== bytes) throw new Error(`the pod received ${text}`)
  return seconds
}

async function echo(dial: Dial): Promise<number> {
  const stream = await dial(echoPort)
  const times: number[] = []
  for (let i = 0; i < echoes; i++) {
    const begin = performance.now()
    stream.write('e')
    await once(stream, 'data')
    times.push(performance.now() - begin)
  }
  stream.destroy()
  return median(times)
}
