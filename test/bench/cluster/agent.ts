// What an agent takes of its node: memory and CPU, idle and while 1,000 requests a second are mirrored. Only where the nodes are on this machine.

import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { launch } from '../../../protocol/rpc/processes.ts'
import { startSession, stopSession } from '../../../protocol/rpc/sessions.ts'
import { processesOfPod } from '../../cluster/stage/session-pod-processes.ts'
import { clusterEnvironment, configIn } from '../../cluster/stage/session-run.ts'
import { agentPods } from '../../cluster/stage/session-stand.ts'
import { startBackend } from '../../stage/backend.ts'
import { cpuSeconds } from '../cpu-seconds.ts'
import { startLoadPods } from './load-pod.ts'

const perSecond = 1000
const seconds = 10

export async function benchAgent(): Promise<string[]> {
  const pods = await startLoadPods()
  const backend = await startBackend(clusterEnvironment(process.env))
  try {
    const config = configIn(pods.namespace)
    const { sessionId } = await backend.connection.request(startSession, { target: pods.target, config })
    const { processId } = await backend.connection.request(launch, {
      sessionId,
      command: [pods.programs.load, 'stand', '127.0.0.1:8080'],
      stdin: 'pipe',
    })
    await backend.output(processId).until('the process listening', line => line === 'listening')
    await backend.messages.until('the capture', line => /Port 8080 of the pod is captured/.test(line), 30_000)
    const [agent] = await agentPods(pods.namespace)
    const [pid] = processesOfPod(agent!.uid, /\bnode\b/)
    if (pid === undefined)
      return ['memory and CPU of the agent: not measured, its node is not on this machine']
    const idle = await taken(pid, () => pause(seconds * 1000)) // how long nothing happens
    let load: Record<string, number> = {}
    const busy = await taken(pid, async () => {
      load = await pods.call('requests', pods.address, String(perSecond * seconds), '10', String(perSecond))
    })
    await backend.connection.request(stopSession, { sessionId })
    await backend.stop()
    return [
      `agent idle: ${shown(idle)}`,
      `agent at ${load.perSecond?.toFixed(0)} requests a second (${load.failed} failed): ${shown(busy)}`,
    ]
  } finally {
    backend.child.kill('SIGKILL')
    await pods.end()
  }
}

type Taken = { megabytes: number; core: number }

const shown = ({ megabytes, core }: Taken) =>
  `${megabytes.toFixed(0)} MiB, ${(core * 100).toFixed(2)}% of a core`

/** Proportional set size at the end, and the share of a core meanwhile. */
async function taken(pid: number, work: () => Promise<void>): Promise<Taken> {
  const [cpu, begin] = [cpuSeconds(pid), performance.now()]
  await work()
  const core = (cpuSeconds(pid) - cpu) / ((performance.now() - begin) / 1000)
  const pss = Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1])
  return { megabytes: pss / 1024, core }
}
