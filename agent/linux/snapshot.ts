// All processes at one moment, with what is read of each at most once: its cgroups, namespaces and sockets.

import type { ProcessStat } from '../targets/stat.ts'
import {
  isRefused,
  type NamespaceKind,
  namespaceOf,
  readProcesses,
  readProcText,
  socketInodes,
} from './proc.ts'

export class Snapshot {
  readonly processes: readonly ProcessStat[]
  /** Processes that we have no right to look into. */
  readonly refused = new Set<number>()
  readonly #known = new Map<string, unknown>()

  constructor(processes: readonly ProcessStat[] = readProcesses()) {
    this.processes = processes
  }

  cgroups(pid: number): string {
    return this.#once(`cgroup ${pid}`, pid, () => readProcText(pid, 'cgroup')) ?? ''
  }

  namespace(pid: number, kind: NamespaceKind): string | undefined {
    return this.#once(`${kind} ${pid}`, pid, () => namespaceOf(pid, kind))
  }

  inodes(pid: number): ReadonlySet<string> {
    return this.#once(`inodes ${pid}`, pid, () => socketInodes(pid)) ?? new Set()
  }

  #once<T>(key: string, pid: number, read: () => T | undefined): T | undefined {
    if (!this.#known.has(key)) this.#known.set(key, this.#unlessRefused(pid, read))
    return this.#known.get(key) as T | undefined
  }

  #unlessRefused<T>(pid: number, read: () => T): T | undefined {
    try {
      return read()
    } catch (error) {
      if (!isRefused(error)) throw error
      this.refused.add(pid)
      return undefined
    }
  }
}
