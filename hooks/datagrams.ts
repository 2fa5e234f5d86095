// Datagrams that hooked processes send to what is the pod's, in the supervisor's main thread: calls that wait for outlets, and sockets that are gone.
import { constants } from 'node:os'
import type { FromSupervisor, ToSupervisor } from '../protocol/hook/messages.ts'
import { writeAddress } from './address.ts'
import { Copies } from './copies.ts'
import { sendDatagram } from './linux/datagrams.ts'
import { close } from './linux/libc.ts'
import { type Call, CannotAnswer, idOf, isAlive, numberOf, sendResult } from './linux/notification.ts'
import { connect } from './linux/sockets.ts'
import { readUdpSockets } from './linux/udp-sockets.ts'
import { refusedNotice } from './notices.ts'
import type { Asking, DatagramMessage } from './shared/datagrams.ts'
import type { ToAnswerer } from './shared/threads.ts'
import { shapeOf } from './syscalls/datagrams/messages.ts'
import { sendAll } from './syscalls/datagrams/send.ts'
import { nameCall, ownArchitecture } from './syscalls/table.ts'

const ENETUNREACH = 101
/** An outlet is made in a millisecond, and a peer of a socket that connects is asked for over the link. */
const patienceMs = 5_000
/** Whether sockets still exist is looked at so often, for nobody tells that one was closed. */
const lookMs = 2_000

type Socket = Pick<Asking, 'cookie' | 'inode' | 'family' | 'place'> & { isListed: boolean }
type Asked = { asking: Asking; call: Call; timer: NodeJS.Timeout }
type Answer = Extract<ToSupervisor, { type: 'outlets' }>
type Added = Extract<ToSupervisor, { type: 'outletAdded' }>
type Refused = Extract<ToSupervisor, { type: 'outletRefused' }>

export class Datagrams {
  readonly #copies: Copies
  readonly #sockets = new Map<string, Socket>()
  readonly #asked = new Map<number, Asked>()
  #lastRequest = 0

  constructor(
    processId: string,
    readonly notifications: number,
    readonly say: (message: FromSupervisor) => void,
    readonly tellAnswerer: (message: ToAnswerer) => void,
  ) {
    this.#copies = new Copies(processId)
    setInterval(() => this.#lookAtAll(), lookMs).unref()
  }

  hear(message: DatagramMessage): void {
    if (message.type === 'outlets') this.#ask(message.asking)
    else this.#closed(message.socket)
  }

  take(message: Answer | Added | Refused): void {
    if (message.type === 'outlets') this.#answered(message)
    else if (message.type === 'outletAdded') this.#added(message)
    else this.#refused(message)
  }

  #ask(asking: Asking): void {
    this.#lastRequest += 1
    const request = this.#lastRequest
    const { socket, cookie, inode, family, place, from, to, rules, connects } = asking
    this.#sockets.set(socket, { cookie, inode, family, place, isListed: true })
    const timer = setTimeout(() => this.#answered({ type: 'outlets', request, outlets: [] }), patienceMs)
    this.#asked.set(request, { asking, call: Buffer.from(asking.call), timer })
    this.say({ type: 'outlets', request, socket, from, to: [...to], rules: [...rules], connects })
  }

  #answered({ request, outlets, local, errno }: Answer): void {
    const asked = this.#asked.get(request)
    if (asked === undefined) return
    this.#asked.delete(request)
    clearTimeout(asked.timer)
    const { asking, call } = asked
    const { socket, cookie } = asking
    const failed = errno ?? (outlets.length < asking.to.length ? 'ENETUNREACH' : undefined)
    // Known to the answerer before the process can make another call.
    this.tellAnswerer({ type: 'outlets', socket, cookie, outlets })
    const result = failed === undefined ? this.#tryAct(asking, call, outlets, local) : -numberOfErrno(failed)
    sendResult(this.notifications, call, result)
    this.tellAnswerer({ type: 'answered', id: idOf(call) })
  }

  /** A mistake of ours refuses that call alone. */
  #tryAct(asking: Asking, call: Call, outlets: Answer['outlets'], local: Answer['local']): number {
    try {
      return this.#act(asking, call, outlets, local)
    } catch (thrown) {
      if (thrown instanceof CannotAnswer) throw thrown
      this.say({ type: 'notice', ...refusedNotice(thrown) })
      return -ENETUNREACH
    }
  }

  /** What the process's call would have done, on our copy of its socket. */
  #act(asking: Asking, call: Call, outlets: Answer['outlets'], local: Answer['local']): number {
    const copy = this.#copies.of(asking)
    if (copy === undefined) return -ENETUNREACH
    const { family, connects, cookie, known, here } = asking
    try {
      if (!isAlive(this.notifications, call)) return -ENETUNREACH
      if (!connects)
        return sendAll(call, shapeOf(nameOfCall(call)), { copy, family, known: [...known, ...outlets], here })
      const { to, at } = outlets[0]!
      const result = connect(copy, writeAddress(family, at))
      if (result === 0 && local !== undefined)
        this.tellAnswerer({ type: 'datagramsConnected', cookie, family, to, local })
      return result
    } finally {
      close(copy)
    }
  }

  #added({ announcement, socket, outlet }: Added): void {
    const cookie = this.#sockets.get(socket)?.cookie
    if (cookie !== undefined) this.tellAnswerer({ type: 'outlets', socket, cookie, outlets: [outlet] })
    this.say({ type: 'outletKnown', announcement })
  }

  /** The outlet is closed: an empty datagram to it comes back as the error that the process is to see, from poll and from its next call. */
  #refused({ announcement, socket }: Refused): void {
    const known = this.#sockets.get(socket)
    const copy = known === undefined ? undefined : this.#copies.of(known)
    if (copy !== undefined) {
      sendDatagram(copy, { payload: Buffer.alloc(0), flags: 0, name: undefined, control: Buffer.alloc(0) })
      close(copy)
    }
    this.say({ type: 'outletKnown', announcement })
  }

  #closed(socket: string): void {
    if (!this.#sockets.delete(socket)) return
    this.say({ type: 'datagramsClosed', socket })
  }

  /** The kernel's table lists every socket that has a port, as all of these have. */
  #lookAtAll(): void {
    if (this.#sockets.size === 0) return
    const listed = new Set(readUdpSockets().map(({ inode }) => inode))
    for (const [id, socket] of this.#sockets) {
      // Twice in a row, for the table is read in pieces.
      if (listed.has(String(socket.inode))) socket.isListed = true
      else if (socket.isListed) socket.isListed = false
      else this.#closed(id)
    }
  }
}

const numberOfErrno = (name: string): number =>
  constants.errno[name as keyof typeof constants.errno] ?? ENETUNREACH

const nameOfCall = (call: Call) => nameCall(ownArchitecture()!, ownArchitecture()!.audit, numberOf(call))
