// Notes what the demo's processes hold while they run, and looks at the end whether any of it is still there.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { filesOfStandin, markRun, processesOf, runMark, untilNothing } from '../stage/leftovers.ts'

export type LeftoverWatch = {
  /** Notes the namespaces and sockets that the marked processes hold at this moment. */
  look(): void
  /** What is still there after `withinMs`, or undefined for nothing. */
  untilNone(withinMs?: number): Promise<string | undefined>
}

const namespaceKinds = ['net', 'user', 'uts', 'mnt', 'pid'] as const

/** Everything that is started from here on inherits the mark, so that it is found whoever its parent is by then. */
export function watchLeftovers(): LeftoverWatch {
  const { value: mark } = markRun()
  process.env[runMark] = mark
  const filesBefore = filesOfStandin()
  const namespaces = new Set<string>()
  const sockets = new Set<string>()
  return {
    look() {
      const own = new Set(namespacesOf('self'))
      for (const { pid } of processesOf(mark)) {
        for (const name of namespacesOf(pid)) if (!own.has(name)) namespaces.add(name)
        for (const name of socketsOf(pid)) sockets.add(name)
      }
    },
    async untilNone(withinMs = 15_000) {
      const looks: [string, () => readonly unknown[]][] = [
        ['processes', () => processesOf(mark)],
        ['namespaces', () => heldNamespaces().filter(name => namespaces.has(name))],
        ['sockets', () => unixSockets('self').flatMap(({ name }) => (sockets.has(name) ? [name] : []))],
        ['files', () => filesOfStandin().filter(file => !filesBefore.includes(file))],
      ]
      try {
        for (const [what, look] of looks) await untilNothing(what, look, withinMs)
        return undefined
      } catch (thrown) {
        return (thrown as Error).message
      }
    },
  }
}

type Pid = number | 'self'

/** As the kernel names them: "net:[4026531840]". */
function namespacesOf(pid: Pid): string[] {
  return namespaceKinds.flatMap(kind => linkOf(`/proc/${pid}/ns/${kind}`))
}

/** Namespaces that a process is in, holds a descriptor of, or has mounted, as far as this user may see; each keeps a namespace alive. */
function heldNamespaces(): string[] {
  const pids = readdirSync('/proc').filter(name => /^\d+$/.test(name))
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').match(/\b[a-z]+:\[\d+\]/g) ?? []
  return [
    ...new Set([...mounts, ...pids.flatMap(pid => [...namespacesOf(Number(pid)), ...openedBy(Number(pid))])]),
  ]
}

/** Abstract Unix sockets that a process has open, of its own network namespace. */
function socketsOf(pid: number): string[] {
  const opened = new Set(openedBy(pid))
  return unixSockets(pid).flatMap(({ name, inode }) => (opened.has(`socket:[${inode}]`) ? [name] : []))
}

/** Abstract Unix sockets in a process's network namespace: "Num RefCount Protocol Flags Type St Inode Path" (proc(5)). */
function unixSockets(pid: Pid): { inode: string; name: string }[] {
  return textOf(`/proc/${pid}/net/unix`)
    .split('\n')
    .map(line => line.trim().split(/\s+/))
    .flatMap(([, , , , , , inode, name]) => (name?.startsWith('@') ? [{ inode: inode!, name }] : []))
}

function openedBy(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap(fd => linkOf(`/proc/${pid}/fd/${fd}`))
  } catch {
    return [] // gone, or another user's
  }
}

function linkOf(path: string): string[] {
  try {
    return [readlinkSync(path)]
  } catch {
    return [] // gone, or another user's
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // gone
  }
}
