// The ways to a server in a pod that the benchmarks compare: from a pod beside it, by "kubectl port-forward", by a session's process, by "standin forward".
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { forwardPort } from '../../../protocol/rpc/ports.ts'
import { launch, writeProcess } from '../../../protocol/rpc/processes.ts'
import { startSession, stopSession } from '../../../protocol/rpc/sessions.ts'
import { runningPid } from '../../cluster/processes.ts'
import { inPod, processOfPod } from '../../cluster/stage/in-pod.ts'
import { processesOfPod } from '../../cluster/stage/session-pod-processes.ts'
import { clusterEnvironment, configIn } from '../../cluster/stage/session-run.ts'
import { agentPods } from '../../cluster/stage/session-stand.ts'
import { startBackend } from '../../stage/backend.ts'
import { markRun, processesOf } from '../../stage/leftovers.ts'
import { startKubectlForward } from './kubectl-forward.ts'
import { serverPort, type TrafficPods } from './traffic-pods.ts'

export const wayNames = ['direct', 'kubectl', 'session', 'forward'] as const
export type WayName = (typeof wayNames)[number]

export type Ways = {
  /** The server's address on this way, and how the traffic program runs there; it gives what it printed, and `atEnd` is called before anything of the way ends with it. */
  readonly of: Readonly<
    Record<WayName, { address: string; run(words: string[], atEnd: () => void): Promise<Said> }>
  >
  /** What carries the bytes, by its name, with all processes that have it; the cluster's own only where it runs on this machine. */
  carriers(): Map<string, number[]>
  end(): Promise<void>
}
export type Said = Record<string, number>

const withinMs = 600_000

export async function startWays(pods: TrafficPods): Promise<Ways> {
  const { namespace, program } = pods
  const mark = markRun()
  const backend = await startBackend(clusterEnvironment(mark.environment))
  const kubectl = await startKubectlForward(namespace, 'server', [serverPort])
  const config = configIn(namespace)
  const { sessionId } = await backend.connection.request(startSession, { target: 'pod/caller', config })
  const [host = '', port = ''] = pods.address.split(':')
  const { local } = await backend.connection.request(forwardPort, {
    ...{ sessionId, remote: { host, port: Number(port) } },
  })
  const caller = await processOfPod(namespace, 'caller')
  const [agent] = await agentPods(namespace)
  const agentPids = processesOfPod(agent!.uid, /\bnode\b/)
  const here = async (words: string[], atEnd: () => void) => {
    const { stdout } = await promisify(execFile)(program, words, { timeout: withinMs })
    atEnd()
    return parsed(stdout)
  }
  return {
    of: {
      direct: {
        address: pods.address,
        async run(words, atEnd) {
          const { code, stdout, stderr } = await inPod(caller, [program, ...words], process.env)
          atEnd()
          return parsed(stdout[0], `${code} ${stderr.join('; ')}`)
        },
      },
      kubectl: { address: kubectl.addressOf(serverPort), run: here },
      session: {
        address: pods.address,
        async run(words, atEnd) {
          // Its supervisor ends with it, so it stays until that was looked at.
          const command = ['sh', '-c', '"$@"; echo "code $?"; read line', 'sh', program, ...words]
          const start = { sessionId, command, stdin: 'pipe' as const }
          const { processId } = await backend.connection.request(launch, start)
          const output = backend.output(processId)
          await output.until('the end of the traffic', line => line.startsWith('code '), withinMs)
          atEnd()
          await backend.connection.request(writeProcess, { processId, data: '\n' })
          await backend.exitOf(processId)
          const errors = backend.output(processId, 'stderr').all.join('; ')
          return parsed(
            output.all.find(line => line.startsWith('{')),
            errors,
          )
        },
      },
      forward: { address: 'port' in local ? `${local.address}:${local.port}` : '', run: here },
    },
    carriers: () => {
      const ours = processesOf(mark.value)
      const named = (name: string) => ours.filter(one => one.program === name).map(({ pid }) => pid)
      const cluster = (...names: string[]) => names.map(runningPid).filter(pid => pid !== undefined)
      return new Map([
        ['server', named('server')],
        ['supervisors', named('hook')],
        ['relay', named('relay')],
        ['agent', agentPids],
        ['kubectl', [kubectl.pid]],
        ['API server', cluster('kube-apiserver')],
        ['kubelets', cluster('node-a-kubelet', 'node-b-kubelet')],
        ['containerd', cluster('node-a-containerd', 'node-b-containerd')],
      ])
    },
    async end() {
      try {
        await backend.connection.request(stopSession, { sessionId })
        await backend.stop()
      } finally {
        backend.child.kill('SIGKILL')
        await kubectl.end()
      }
    },
  }
}

function parsed(line: string | undefined, otherwise = ''): Said {
  if (line === undefined) throw new Error(`the traffic program said nothing: ${otherwise}`)
  return JSON.parse(line)
}
