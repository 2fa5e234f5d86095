// Looks at this machine's processes through /proc (proc(5)): parents, names, marks, sockets.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { carriesMark } from '../../protocol/hook/mark.ts'

export type Processes = {
  readonly pids: readonly number[]
  /** All processes below `ancestor`, itself not included. */
  descendants(ancestor: number): number[]
  name(pid: number): string
}

type Entry = { parent: number; name: string }

export function listProcesses(): Processes {
  const entries = new Map<number, Entry>()
  const children = new Map<number, number[]>()
  for (const pid of pidsOf('/proc')) {
    const entry = readStat(pid)
    if (entry === undefined) continue
    entries.set(pid, entry)
    children.set(entry.parent, [...(children.get(entry.parent) ?? []), pid])
  }
  return {
    pids: [...entries.keys()],
    descendants(ancestor) {
      const found = [...(children.get(ancestor) ?? [])]
      for (let index = 0; index < found.length; index++) found.push(...(children.get(found[index]!) ?? []))
      return found
    },
    name: pid => entries.get(pid)?.name ?? '?',
  }
}

/** Parent and name of a living process; undefined for one that is gone or only waits to be reaped. */
export function readStat(pid: number): Entry | undefined {
  const stat = readProc(pid, 'stat')
  // The name stands in brackets and may hold brackets and spaces itself.
  const end = stat.lastIndexOf(')')
  const [state, parent] = stat.slice(end + 2).split(' ')
  if (end < 0 || state === 'Z' || state === 'X') return undefined
  return { parent: Number(parent), name: stat.slice(stat.indexOf('(') + 1, end) }
}

/** Whether this process has a controlling terminal, so that a shell may wait for its stop: the field tty_nr of its stat is not 0. */
export function hasTerminal(): boolean {
  const stat = readProc('self', 'stat')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[4] !== '0'
}

/** Whether a process is stopped by a signal. */
export function isStopped(pid: number): boolean {
  const stat = readProc(pid, 'stat')
  return stat.charAt(stat.lastIndexOf(')') + 2) === 'T'
}

/** Whether a signal does not do to this process what it does by default: SigIgn and SigCgt of proc_pid_status(5), bit N - 1 for signal N. */
export function takesItsOwnWay(pid: number, signal: number): boolean {
  const masks = [...readProc(pid, 'status').matchAll(/^Sig(?:Ign|Cgt):\s*([0-9a-f]+)$/gm)]
  return masks.some(([, mask]) => (BigInt(`0x${mask}`) & (1n << BigInt(signal - 1))) !== 0n)
}

/** The folder that a thread is in; undefined when it is gone or may not be read. */
export function folderOf(thread: number): string | undefined {
  try {
    return readlinkSync(`/proc/${thread}/cwd`)
  } catch {
    return undefined
  }
}

/** Text of a file of a process; empty when it is gone or may not be read. */
export function readProc(pid: number | string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}

/** Inodes of the sockets that a process has open; none when it may not be looked into. */
export const socketInodes = (pid: number): Set<string> => new Set(socketDescriptors(pid).keys())

/** The sockets that a process has open: a descriptor of each, by inode. */
export function socketDescriptors(pid: number): Map<string, number> {
  const found = new Map<string, number>()
  for (const descriptor of pidsOf(`/proc/${pid}/fd`)) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`))?.[1]
      if (inode !== undefined) found.set(inode, descriptor)
    } catch {
      // Closed in between.
    }
  }
  return found
}

/** Whether any process below `ancestor` has this socket open. */
export const isSocketHeld = (inode: number, ancestor: number): boolean =>
  listProcesses()
    .descendants(ancestor)
    .some(pid => socketInodes(pid).has(String(inode)))

/** Hooked processes of this command, oldest first; its supervisor, which carries the mark too, has no filter. */
export function markedProcesses(processId: string): number[] {
  return pidsOf('/proc').filter(
    pid =>
      carriesMark({ limits: readProc(pid, 'limits'), environ: readProc(pid, 'environ') }, processId) &&
      /^Seccomp:\s*2$/m.test(readProc(pid, 'status')) &&
      readStat(pid) !== undefined,
  )
}

function pidsOf(folder: string): number[] {
  try {
    return readdirSync(folder).map(Number).filter(Number.isInteger)
  } catch {
    return []
  }
}
