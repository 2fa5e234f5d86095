// What a session costs the pod's callers: their requests, mirrored against not, interleaved.
import { launch } from '../../../protocol/rpc/processes.ts'
import { startSession, stopSession } from '../../../protocol/rpc/sessions.ts'
import { clusterEnvironment, configIn } from '../../cluster/stage/session-run.ts'
import { untilNoAgents } from '../../cluster/stage/session-stand.ts'
import { startBackend } from '../../stage/backend.ts'
import { type Comparison, compared } from '../measure.ts'
import { startLoadPods } from './load-pod.ts'

const count = '4000'
type Figures = { p50: number[]; p99: number[]; failed: number }

export async function benchPodRequests(runs: number): Promise<Comparison[]> {
  const pods = await startLoadPods()
  const backend = await startBackend(clusterEnvironment(process.env))
  const alone: Figures = { p50: [], p99: [], failed: 0 }
  const mirrored: Figures = { p50: [], p99: [], failed: 0 }
  const measure = async (into: Figures) => {
    const { p50Us, p99Us, failed } = await pods.call('requests', pods.address, count, '1')
    into.p50.push(p50Us!)
    into.p99.push(p99Us!)
    into.failed += failed!
  }
  const withSession = async () => {
    const config = configIn(pods.namespace)
    const { sessionId } = await backend.connection.request(startSession, { target: pods.target, config })
    const { processId } = await backend.connection.request(launch, {
      sessionId,
      command: [pods.programs.load, 'stand', '127.0.0.1:8080'],
      stdin: 'pipe',
    })
    await backend.output(processId).until('the process listening', line => line === 'listening')
    await measure(mirrored)
    await backend.connection.request(stopSession, { sessionId })
    await untilNoAgents(pods.namespace)
  }
  try {
    await measure({ p50: [], p99: [], failed: 0 })
    for (let i = 0; i < runs; i++) {
      if (i % 2 === 0) await measure(alone)
      await withSession()
      if (i % 2 === 1) await measure(alone)
    }
    await backend.stop()
  } finally {
    backend.child.kill('SIGKILL')
    await pods.end()
  }
  if (alone.failed + mirrored.failed > 0)
    throw new Error(`${alone.failed} and ${mirrored.failed} requests failed`)
  return [
    compared('request p50, mirrored against not', 'us', alone.p50, mirrored.p50),
    compared('request p99, mirrored against not', 'us', alone.p99, mirrored.p99),
  ]
}
