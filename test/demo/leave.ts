// Notes what the demo's processes hold while they run, and looks at the end whether any of it is still there.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { filesOfStandin, markRun, processesOf, runMark, untilNothing } from '../stage/leftovers.ts'

export type LeftoverWatch = {
  /** Notes the namespaces and sockets that the marked processes hold at this moment. */
  look(): void
  /** What is still there after `withinMs`, or undefined for nothing. */
  untilNone(withinMs?: number): Promise<string | undefined>
}

/** A network namespace that a process is in, or has open: its name "net:[4026531840]", and the contents of /proc/PID/net/if_inet6 for the former. */
export type Holder = { namespace: string; addresses?: string }

/**
 * The kernel gives the number of a namespace that is gone to the next one, which can be anybody's: whoever is in one of that number counts only
 * if a label of ours is in it too.
 */
export function heldNamespaces(noted: ReadonlyMap<string, string>, holders: readonly Holder[]): string[] {
  const held = holders.filter(({ namespace, addresses }) => {
    const label = noted.get(namespace)
    return label !== undefined && (addresses === undefined || addresses.includes(label))
  })
  return [...new Set(held.map(({ namespace }) => namespace))]
}

/** Everything that is started from here on inherits the mark, so that it is found whoever its parent is by then. */
export function watchLeftovers(): LeftoverWatch {
  const { value: mark } = markRun()
  process.env[runMark] = mark
  const filesBefore = filesOfStandin()
  const namespaces = new Map<string, string>()
  const sockets = new Set<string>()
  return {
    look() {
      const own = networkOf('self')
      for (const { pid } of processesOf(mark)) {
        for (const name of networkOf(pid))
          if (!own.includes(name)) namespaces.set(name, labelIn(textOf(`/proc/${pid}/net/if_inet6`)))
        for (const name of socketsOf(pid)) sockets.add(name)
      }
    },
    async untilNone(withinMs = 15_000) {
      const endedAt = ticksSinceBoot()
      const looks: [string, () => readonly unknown[]][] = [
        ['processes', () => processesOf(mark)],
        ['namespaces', () => heldNamespaces(namespaces, holdersBefore(endedAt))],
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

function networkOf(pid: Pid): string[] {
  return linkOf(`/proc/${pid}/ns/net`)
}

/**
 * What tells a namespace from others of its number: the lines of its loopback addresses but ::1, or the number itself for one without
 * (/proc/net/if_inet6: address, index, prefix length, scope, flags, device).
 */
export function labelIn(addresses: string): string {
  const lines = addresses
    .split('\n')
    .filter(line => / lo$/.test(line) && !line.startsWith(`${'0'.repeat(31)}1 `))
  return lines[0]?.split(' ')[0] ?? ''
}

/** Everyone in a namespace, and those with a descriptor of one who were there before `ticks`: later ones opened another's. */
function holdersBefore(ticks: number): Holder[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(pid => {
      const inside = networkOf(Number(pid)).map(namespace => ({
        namespace,
        addresses: textOf(`/proc/${pid}/net/if_inet6`),
      }))
      const opened = openedBy(Number(pid)).filter(link => link.startsWith('net:'))
      const open = opened.length > 0 && startOf(pid) < ticks ? opened.map(namespace => ({ namespace })) : []
      return [...inside, ...open]
    })
}

/** Field 22 of /proc/PID/stat (proc(5)); field 2 is in parentheses and can hold anything. */
function startOf(pid: string): number {
  const stat = textOf(`/proc/${pid}/stat`)
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? Number.POSITIVE_INFINITY)
}

/** In the unit of start times: 1/100 s. */
function ticksSinceBoot(): number {
  return Number(textOf('/proc/uptime').split(' ')[0]) * 100
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
