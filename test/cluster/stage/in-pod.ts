// Runs a program of this machine inside of a pod, as far as network, names and host name go: the nodes of the test cluster are namespaces here.
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import type { TypeOf } from 'io-ts'
import { launch } from '../../../protocol/rpc/processes.ts'
import type { startSession } from '../../../protocol/rpc/sessions.ts'
import type { Backend } from '../../stage/backend.ts'
import { linesOf } from '../../stage/lines.ts'
import { objectOf } from './kubectl.ts'

export type Ended = { code: number | string; stdout: readonly string[]; stderr: readonly string[] }
type Started = TypeOf<(typeof startSession)['result']>

const withinMs = 60_000

/** The first process of a container, by its id on this machine; throws when there is none. */
export function firstProcessOf(containerId: string): number {
  const found = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .find(pid => {
      try {
        const inside = /^NSpid:.*\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
        return inside === '1' && readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(containerId)
      } catch {
        return false // it has just ended
      }
    })
  if (found === undefined)
    throw new Error(`Cannot find container "${containerId}": no process has its cgroup`)
  return Number(found)
}

/** The first process of a pod's only container. */
export async function processOfPod(namespace: string, name: string): Promise<number> {
  const pod = await objectOf(['-n', namespace, 'pod', name])
  return firstProcessOf(pod.status.containerStatuses[0].containerID.replace('containerd://', ''))
}

// Copies, since mount(8) would follow /proc/PID/root by its text, which is "/"; what is bound stays when they are removed. This machine's
// own daemons of names, which its nsswitch.conf may have, are not the pod's.
const names = `copy=$(mktemp -d) && cp "$0/etc/resolv.conf" "$0/etc/hosts" "$copy" &&
echo 'hosts: files dns' >"$copy/nsswitch.conf" || exit 125
for file in resolv.conf hosts nsswitch.conf; do mount --bind "$copy/$file" "/etc/$file" || exit 125; done
rm -r "$copy" && exec "$@"`

/** Runs it with the network, the host name and the files of names of the pod whose process is `pid`. */
export async function inPod(
  pid: number,
  command: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<Ended> {
  const enter = ['nsenter', '--target', String(pid), '--net', '--uts', '--', 'unshare', '--mount']
  const script = ['sh', '-c', names, `/proc/${pid}/root`, ...command]
  // None of these forks, so that the program itself goes with the test.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...enter, ...script], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment,
    detached: true,
  })
  const [stdout, stderr] = [linesOf(child.stdout), linesOf(child.stderr)]
  const deadline = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), withinMs)
  const code = await new Promise<number | string>((resolve, reject) => {
    child.once('error', reject).once('close', (exited, signal) => resolve(exited ?? String(signal)))
  }).finally(() => clearTimeout(deadline))
  return { code, stdout: stdout.all, stderr: stderr.all }
}

/** Runs it in the session. */
export async function inSession(
  backend: Backend,
  { sessionId }: Started,
  command: string[],
  environment: Record<string, string>,
): Promise<Ended> {
  const { processId } = await backend.connection.request(launch, { sessionId, command, environment })
  const { code, signal, failure } = await backend.exitOf(processId, withinMs)
  return {
    code: failure ?? code ?? String(signal),
    stdout: backend.output(processId).all,
    stderr: backend.output(processId, 'stderr').all,
  }
}

/** The environment that the session gives to its commands, over the one of its server. */
export function environmentOf(base: NodeJS.ProcessEnv, { environment }: Started): NodeJS.ProcessEnv {
  const all = { ...base, ...environment.set }
  for (const name of environment.unset) delete all[name]
  return all
}
