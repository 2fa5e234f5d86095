// Reads what the kernel says of processes under /proc (proc(5)); a process that ends meanwhile reads as `undefined`, a refusal throws.
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync, statSync } from 'node:fs'
import { type Listener, listenersEnded, parseListeners } from '../targets/listeners.ts'
import { type ProcessStat, parseStat } from '../targets/stat.ts'

export type NamespaceKind = 'mnt' | 'net' | 'pid' | 'user' | 'uts'

const goneCodes = new Set(['ENOENT', 'ESRCH', 'ENOTDIR'])
const refusedCodes = new Set(['EACCES', 'EPERM'])

/** Whether this error is the kernel's "you may not". */
export function isRefused(error: unknown): boolean {
  return error instanceof Error && refusedCodes.has((error as NodeJS.ErrnoException).code ?? '')
}

export function readProc(pid: number | 'self', file: string): Buffer | undefined {
  return unlessGone(() => readFileSync(`/proc/${pid}/${file}`))
}

export function readProcText(pid: number | 'self', file: string): string | undefined {
  return readProc(pid, file)?.toString('utf8')
}

export function readStat(pid: number): ProcessStat | undefined {
  const text = readProcText(pid, 'stat')
  return text === undefined ? undefined : parseStat(text)
}

/** Other ways to what is under /proc/PID, which throw as reading the files does. */
export type ProcReader = { environment(pid: number): Buffer; socketInodes(pid: number): Set<string> }

let otherwise: ProcReader | undefined

/** From then on it is asked where the files of a process may not be read, because they are another user's. */
export function readOtherwise(reader: ProcReader): void {
  otherwise = reader
}

/** The environment that a process was started with: entries that end with NUL. */
export function readEnvironment(pid: number): Buffer | undefined {
  return orOtherwise(
    () => readProc(pid, 'environ'),
    reader => reader.environment(pid),
  )
}

/** All processes that this one may see. */
export function readProcesses(): ProcessStat[] {
  const pids = readdirSync('/proc').filter(name => /^\d+$/.test(name))
  return pids.map(pid => readStat(Number(pid))).filter(stat => stat !== undefined)
}

/** What tells one namespace from another: `net:[4026531840]`. Needs the right to look into the process. */
export function namespaceOf(pid: number | 'self', kind: NamespaceKind): string | undefined {
  return unlessGone(() => readlinkSync(`/proc/${pid}/ns/${kind}`))
}

/** The user id that a process runs as. */
export function ownerOf(pid: number): number | undefined {
  return unlessGone(() => statSync(`/proc/${pid}`).uid)
}

/** Inodes of the sockets that a process has open. */
export function socketInodes(pid: number): Set<string> {
  return (
    orOtherwise(
      () => readSocketLinks(pid),
      reader => reader.socketInodes(pid),
    ) ?? new Set()
  )
}

function readSocketLinks(pid: number): Set<string> {
  const inodes = new Set<string>()
  for (const fd of unlessGone(() => readdirSync(`/proc/${pid}/fd`)) ?? []) {
    const link = unlessGone(() => readlinkSync(`/proc/${pid}/fd/${fd}`))
    const inode = /^socket:\[(\d+)\]$/.exec(link ?? '')?.[1]
    if (inode !== undefined) inodes.add(inode)
  }
  return inodes
}

/** TCP listeners of the network namespace that a process is in. */
export function readListeners(pid: number): Listener[] {
  return ['tcp', 'tcp6'].flatMap(
    table => unlessGone(() => readListenerRows(`/proc/${pid}/net/${table}`)) ?? [],
  )
}

/** Stops after the listeners, for the rest of the table may be a row for each of 100,000 connections. */
function readListenerRows(path: string): Listener[] {
  const fd = openSync(path, 'r')
  try {
    const chunk = Buffer.allocUnsafe(16_384)
    let text = ''
    for (;;) {
      const bytes = readSync(fd, chunk)
      text += chunk.toString('latin1', 0, bytes)
      if (bytes === 0 || listenersEnded(text)) return parseListeners(text)
    }
  } finally {
    closeSync(fd)
  }
}

function orOtherwise<T>(read: () => T, ask: (reader: ProcReader) => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (otherwise === undefined || !isRefused(error)) throw error
    const reader = otherwise
    return unlessGone(() => ask(reader))
  }
}

function unlessGone<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (goneCodes.has((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}
