// What a session costs the pod: its requests and a 1 GiB download, mirrored against not, interleaved.

import { launch } from '../../protocol/rpc/processes.ts'
import { startSession, stopSession } from '../../protocol/rpc/sessions.ts'
import type { Backend } from '../stage/backend.ts'
import type { Pod } from '../stage/pod.ts'
import type { Programs } from './compile.ts'
import { type Comparison, compared } from './measure.ts'

const downloadBytes = 1 << 30
type Figures = { p50: number[]; p99: number[]; download: number[]; failed: number }

export async function benchPod(
  backend: Backend,
  pod: Pod,
  programs: Programs,
  runs: number,
): Promise<Comparison[]> {
  const address = `${pod.cable.first.ipv4}:${pod.port}`
  const alone: Figures = { p50: [], p99: [], download: [], failed: 0 }
  const mirrored: Figures = { p50: [], p99: [], download: [], failed: 0 }
  const measure = async (into: Figures) => {
    const requests = JSON.parse(await pod.callers.run(programs.load, 'requests', address, '4000', '1'))
    into.p50.push(requests.p50Us)
    into.p99.push(requests.p99Us)
    into.failed += requests.failed
    into.download.push(
      JSON.parse(await pod.callers.run(programs.load, 'download', address, String(downloadBytes))).seconds,
    )
  }
  const withSession = async () => {
    const { sessionId } = await backend.connection.request(startSession, { target: pod.target })
    const { processId } = await backend.connection.request(launch, {
      sessionId,
      command: [programs.load, 'stand', `0.0.0.0:${pod.port}`],
      stdin: 'pipe',
    })
    await backend.output(processId).until('the process listening', line => line === 'listening')
    await measure(mirrored)
    await backend.connection.request(stopSession, { sessionId })
  }
  await measure({ p50: [], p99: [], download: [], failed: 0 })
  for (let i = 0; i < runs; i++) {
    if (i % 2 === 0) await measure(alone)
    await withSession()
    if (i % 2 === 1) await measure(alone)
  }
  if (alone.failed + mirrored.failed > 0)
    throw new Error(`${alone.failed} and ${mirrored.failed} requests failed`)
  return [
    compared('request p50, mirrored against not (goal: no difference)', 'us', alone.p50, mirrored.p50),
    compared('request p99, mirrored against not (goal: no difference)', 'us', alone.p99, mirrored.p99),
    compared(
      '1 GiB download, mirrored against not (goal: no difference)',
      's',
      alone.download,
      mirrored.download,
    ),
  ]
}
