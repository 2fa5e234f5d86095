// The TCP listeners that the target's own processes hold, and who holds the others in its network namespace.
import { readListeners, readProc } from '../linux/proc.ts'
import { Snapshot } from '../linux/snapshot.ts'
import { parseCommand } from './command.ts'
import type { Listener } from './listeners.ts'
import { ownProcesses, type Scope } from './scope.ts'
import type { PortHolder } from './sidecar.ts'

/** The listeners among `all` whose sockets are open in one of these processes. */
export function heldBy(snapshot: Snapshot, pids: Iterable<number>, all: readonly Listener[]): Listener[] {
  const missing = new Map(all.map(listener => [listener.inode, listener]))
  const held: Listener[] = []
  for (const pid of pids) {
    if (missing.size === 0) break
    for (const inode of snapshot.inodes(pid)) {
      const listener = missing.get(inode)
      if (listener !== undefined && missing.delete(inode)) held.push(listener)
    }
  }
  return held
}

export function readOwnListeners(scope: Scope, snapshot: Snapshot = new Snapshot()): Listener[] {
  const all = readListeners(scope.pid)
  return all.length === 0 ? [] : heldBy(snapshot, ownProcesses(snapshot, scope), all)
}

/** Reads again only when the set of listening sockets changed: looking into every process each second would cost too much. */
export class ListenerWatch {
  readonly #scope: Scope
  #seen = ''
  #own: Listener[] = []

  constructor(scope: Scope) {
    this.#scope = scope
  }

  read(): Listener[] {
    const all = readListeners(this.#scope.pid)
    const seen = all
      .map(({ inode }) => inode)
      .sort()
      .join(' ')
    if (seen === this.#seen) return this.#own
    this.#seen = seen
    // What was the target's own stays so, also when its holder daemonised and descends from it no more.
    const before = new Set(this.#own.map(({ inode }) => inode))
    const kept = all.filter(({ inode }) => before.has(inode))
    const others = all.filter(({ inode }) => !before.has(inode))
    const snapshot = new Snapshot()
    this.#own = [...kept, ...heldBy(snapshot, ownProcesses(snapshot, this.#scope), others)]
    return this.#own
  }
}

/** Who holds each of these ports in the network namespace of the process. */
export function readHolders(pid: number, ports: readonly number[]): PortHolder[] {
  const listeners = readListeners(pid).filter(({ port }) => ports.includes(port))
  if (listeners.length === 0) return []
  const snapshot = new Snapshot()
  const space = snapshot.namespace(pid, 'net')
  const neighbours = snapshot.processes.filter(other => snapshot.namespace(other.pid, 'net') === space)
  return listeners.map(({ port, inode }) => ({
    port,
    names: neighbours
      .filter(neighbour => snapshot.inodes(neighbour.pid).has(inode))
      .flatMap(({ pid: holder, name }) => [
        name,
        parseCommand(readProc(holder, 'cmdline') ?? Buffer.alloc(0), name).name,
      ]),
  }))
}
