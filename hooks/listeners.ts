// The listeners of the hooked processes: the server hears of each as soon as its port is wanted, and when nothing may be delivered to it any more.

import { loopbackInstead } from '../protocol/address.ts'
import type { Endpoint } from '../protocol/codec.ts'
import type { FromSupervisor } from '../protocol/hook/messages.ts'
import { takesConnectionsTo } from '../protocol/tcp-table.ts'
import type { ListeningSocket } from './inet-diag.ts'
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
export class Listeners {
  /** By inode, which is never that of another socket. */
  readonly #known = new BoundedMap<number, Known>(listenerLimit)
  #wanted: SharedArrayBuffer | undefined

  constructor(
    readonly say: (message: FromSupervisor) => void,
    readonly kernel: Kernel,
  ) {}

  watch(wanted: SharedArrayBuffer): void {
    this.#wanted = wanted
  }

  add(listener: Listener): void {
    const said = this.#known.get(listener.inode)?.said ?? false
    this.#known.set(listener.inode, { listener, deliverable: true, said })
    this.review()
  }

  find(cookie: bigint): Listener | undefined {
    return [...this.#known.values()].find(({ listener }) => listener.cookie === cookie)?.listener
  }

  /** Says those that can be delivered to and whose port is wanted. */
  review(): void {
    for (const one of this.#known.values()) {
      const { cookie, asked, actual } = one.listener
      if (one.said || !one.deliverable || this.#wanted === undefined) continue
      if (!isWanted(this.#wanted, asked.port)) continue
      one.said = true
      this.say({ type: 'listening', listener: cookie.toString(), asked, actual })
    }
  }

  /** Finds out what has changed; nobody tells of a socket's end. */
  look(): void {
    if (this.#known.size === 0) return
    const present = this.kernel.all()
    for (const [inode, one] of this.#known) {
      if (isIn(present, inode)) this.#judge(one, present)
      // A list that comes in pieces may have missed it.
      else if (!isIn(this.kernel.all(), inode)) {
        this.#withdraw(one)
        this.#known.delete(inode)
      }
    }
    this.review()
  }

  /** Whether a connection that stands can only be one of a hooked process; what has changed is said. */
  reaches(to: Endpoint): boolean {
    const isOurs = this.#isOurs(to)
    if (!isOurs) this.look()
    return isOurs
  }

  #isOurs(to: Endpoint): boolean {
    const found = this.kernel.at(to)
    if (found === undefined || this.#isOutsiders(found)) return false
    const { sharesPort = true, inherited = true } = this.#known.get(found.inode)?.listener ?? {}
    if (sharesPort && this.#isJoined(to, this.kernel.all())) return false
    return !inherited || this.kernel.isHeld(found.inode)
  }

  #judge(one: Known, present: readonly ListeningSocket[]): void {
    const { inode, inherited, actual, asked, sharesPort } = one.listener
    const joined = sharesPort && this.#isJoined(loopbackInstead(actual), present)
    if (joined && one.said) this.say({ type: 'notice', ...portSharedNotice(asked.port) })
    one.deliverable = !joined && !(inherited && !this.kernel.isHeld(inode))
    if (!one.deliverable) this.#withdraw(one)
  }

  #withdraw(one: Known): void {
    one.deliverable = false
    if (one.said) this.say({ type: 'closed', listener: one.listener.cookie.toString() })
    one.said = false
  }

  /** A process's own sibling may have begun to listen a moment before we hear of it. */
  #isOutsiders({ inode }: ListeningSocket): boolean {
    return !this.#known.has(inode) && !this.kernel.isHeld(inode)
  }

  #isJoined(to: Endpoint, present: readonly ListeningSocket[]): boolean {
    return present.some(one => takesConnectionsTo(one, to) && this.#isOutsiders(one))
  }
}
