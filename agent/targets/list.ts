// Lists what can be stood in for: processes that listen on TCP ports, and running containers.
import { dirname, resolve } from 'node:path'
import { programPath } from '../../protocol/programs.ts'
import type { Target } from '../../protocol/rpc/targets.ts'
import { isRefused, readListeners, readProc } from '../linux/proc.ts'
import { readRights } from '../linux/rights.ts'
import { Snapshot } from '../linux/snapshot.ts'
import { parseCommand } from './command.ts'
import { listContainers } from './containers.ts'
import { type Listener, portsOf } from './listeners.ts'
import { readOwnListeners } from './own-listeners.ts'
import { decideObstacle } from './rights.ts'
import type { Container } from './runtimes/container.ts'
import type { ProcessStat } from './stat.ts'
import { topmost } from './tree.ts'

export type Found = { target: Target } | { warning: string }
export type Emit = (found: Found) => void

/** Kernel threads are children of this one; they have neither files nor memory. */
const kthreadd = 2

/** Emits each target as it is found. */
export async function listProcesses(emit: Emit): Promise<void> {
  const snapshot = new Snapshot()
  const users = snapshot.processes.filter(({ pid, parent }) => pid !== kthreadd && parent !== kthreadd)
  const listeners = new Map(readAllListeners(snapshot, users).map(listener => [listener.inode, listener]))
  const holders = users
    .map(stat => ({ ...stat, inodes: listening(snapshot.inodes(stat.pid), listeners) }))
    .filter(({ inodes }) => inodes.size > 0)
  for (const holder of topmost(holders)) {
    const command = parseCommand(readProc(holder.pid, 'cmdline') ?? Buffer.alloc(0), holder.name)
    if (isOurs(holder.pid, command.argv)) continue
    const ports = portsOf(
      [...holder.inodes].map(inode => listeners.get(inode)).filter(found => found !== undefined),
    )
    const { name, command: line } = command
    const target = {
      target: `process/${holder.pid}`,
      kind: 'process',
      name,
      ports,
      pid: holder.pid,
      command: line,
    } as const
    emit({ target: { ...target, ...(await readiness(holder.pid)) } })
  }
  const { size } = snapshot.refused
  if (size > 0)
    emit({ warning: `${counted(size)} could not be looked into: no right to see what listens there` })
}

function counted(processes: number): string {
  return processes === 1 ? '1 process' : `${processes} processes`
}

/** Emits each running container that a runtime or a cgroup tells of. */
export async function listRunningContainers(emit: Emit): Promise<void> {
  const { containers, failures } = await listContainers()
  const snapshot = new Snapshot()
  for (const container of containers) emit({ target: await containerTarget(container, containers, snapshot) })
  for (const { message } of failures) emit({ warning: message })
}

async function containerTarget(
  container: Container,
  all: readonly Container[],
  snapshot: Snapshot,
): Promise<Target> {
  const { id, name, pid, runtime } = container
  const namesakes = all.filter(other => other.name === name).length
  const { ports, ...state } = await portsAndState(container, snapshot)
  const stat = snapshot.processes.find(other => other.pid === pid)
  const command = parseCommand(readProc(pid, 'cmdline') ?? Buffer.alloc(0), stat?.name ?? name).command
  return {
    target: `container/${namesakes === 1 ? name : id.slice(0, 12)}`,
    kind: 'container',
    name,
    ports,
    pid,
    command,
    ...state,
    ...(runtime === undefined ? {} : { runtime }),
  }
}

type State = Pick<Target, 'ready' | 'reason'>

async function portsAndState(
  { pid, id }: Container,
  snapshot: Snapshot,
): Promise<State & { ports: number[] }> {
  try {
    return { ports: portsOf(readOwnListeners({ pid, id }, snapshot)), ...(await readiness(pid)) }
  } catch (error) {
    if (!isRefused(error)) throw error
    return { ports: [], ready: false, reason: 'no right to look into it: run as root' }
  }
}

async function readiness(pid: number): Promise<State> {
  try {
    const reason = decideObstacle(await readRights(pid))
    return reason === undefined ? { ready: true } : { ready: false, reason }
  } catch (error) {
    if (!isRefused(error)) throw error
    return { ready: false, reason: 'no right to look into it: run as root' }
  }
}

/** The table of each network namespace once, however many processes are in it. */
function readAllListeners(snapshot: Snapshot, processes: readonly ProcessStat[]): Listener[] {
  const inhabitants = new Map<string, number>()
  for (const { pid } of processes) {
    const space = snapshot.namespace(pid, 'net')
    if (space !== undefined && !inhabitants.has(space)) inhabitants.set(space, pid)
  }
  return [...inhabitants.values()].flatMap(pid => readListeners(pid))
}

function listening(inodes: ReadonlySet<string>, listeners: ReadonlyMap<string, Listener>): Set<string> {
  return new Set([...inodes].filter(inode => listeners.has(inode)))
}

/** Our own programs are no targets: the server may listen for editors. */
function isOurs(pid: number, argv: readonly string[]): boolean {
  if (pid === process.pid || pid === process.ppid) return true
  const folder = dirname(programPath('agent'))
  return argv.slice(0, 3).some(word => word.endsWith('.cjs') && dirname(resolve(word)) === folder)
}
