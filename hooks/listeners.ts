// The listeners of the hooked processes: the server hears of each as soon as its port is wanted, and when nothing may be delivered to it any more.
import type { Endpoint } from '../protocol/codec.ts'
import type { FromSupervisor } from '../protocol/hook/messages.ts'
import { loopbackInstead } from './address.ts'
import { type ListeningSocket, takesConnectionsTo } from './inet-diag.ts'
import { portSharedNotice } from './notices.ts'
import { isWanted } from './shared/announcements.ts'
import { BoundedMap } from './shared/bounded-map.ts'
import type { Listener } from './syscalls/world.ts'

const listenerLimit = 4096

/** What is asked of the kernel. */
export type Kernel = {
  /** Every listening socket of this network namespace. */
  all(): ListeningSocket[]
  /** The one that would take a connection to this address. */
  at(to: Endpoint): ListeningSocket | undefined
  /** Whether a hooked process has this socket. */
  isHeld(inode: number): boolean
}

const isIn = (list: readonly ListeningSocket[], inode: number) => list.some(one => one.inode === inode)

type Known = { listener: Listener; deliverable: boolean; said: boolean }

/**
 * A port that was let go can be taken by any program, and a shared one (SO_REUSEPORT) be joined by one. So each connection is judged once it
 * stands and before anything is sent on it: a socket of ours that listens then has listened since before the connection was made. When in
 * doubt it is not ours: a copy may be lost, but not given away.
 */
export function makeListeners(say: (message: FromSupervisor) => void, kernel: Kernel) {
  /** By inode, which is never that of another socket. */
  const known = new BoundedMap<number, Known>(listenerLimit)
  let wanted: SharedArrayBuffer | undefined

  /** Says those that can be delivered to and whose port is wanted. */
  function review(): void {
    for (const one of known.values()) {
      const { cookie, asked, actual } = one.listener
      if (one.said || !one.deliverable || wanted === undefined || !isWanted(wanted, asked.port)) continue
      one.said = true
      say({ type: 'listening', listener: cookie.toString(), asked, actual })
    }
  }

  /** A process's own sibling may have begun to listen a moment before we hear of it. */
  const isOutsiders = ({ inode }: ListeningSocket) => !known.has(inode) && !kernel.isHeld(inode)
  const isJoined = (to: Endpoint, present: readonly ListeningSocket[]) =>
    present.some(one => takesConnectionsTo(one, to) && isOutsiders(one))

  function withdraw(one: Known): void {
    one.deliverable = false
    if (one.said) say({ type: 'closed', listener: one.listener.cookie.toString() })
    one.said = false
  }

  function judge(one: Known, present: readonly ListeningSocket[]): void {
    const { inode, inherited, actual, sharesPort } = one.listener
    const joined = sharesPort && isJoined(loopbackInstead(actual), present)
    if (joined && one.said) say({ type: 'notice', ...portSharedNotice(one.listener.asked.port) })
    if (joined || (inherited && !kernel.isHeld(inode))) withdraw(one)
    else one.deliverable = true
  }

  /** Finds out what has changed; nobody tells of a socket's end. */
  function look(): void {
    if (known.size === 0) return
    const present = kernel.all()
    for (const [inode, one] of known) {
      if (isIn(present, inode)) judge(one, present)
      // A list that comes in pieces may have missed it.
      else if (isIn(kernel.all(), inode)) continue
      else {
        withdraw(one)
        known.delete(inode)
      }
    }
    review()
  }

  /** Whether a connection that stands can only be one of a hooked process. */
  function isOurs(to: Endpoint): boolean {
    const found = kernel.at(to)
    if (found === undefined || isOutsiders(found)) return false
    const { sharesPort = true, inherited = true } = known.get(found.inode)?.listener ?? {}
    return !(sharesPort && isJoined(to, kernel.all())) && !(inherited && !kernel.isHeld(found.inode))
  }

  return {
    watch(memory: SharedArrayBuffer) {
      wanted = memory
    },
    add(listener: Listener) {
      const before = known.get(listener.inode)
      known.set(listener.inode, { listener, deliverable: true, said: before?.said ?? false })
      review()
    },
    find: (cookie: bigint): Listener | undefined =>
      [...known.values()].find(({ listener }) => listener.cookie === cookie)?.listener,
    review,
    look,
    /** The same, and what has changed is said. */
    reaches(to: Endpoint): boolean {
      const ours = isOurs(to)
      if (!ours) look()
      return ours
    },
  }
}
