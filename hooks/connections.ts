// Connections that hooked processes make to what is the pod's, in the supervisor's main thread: from the call that began one to its answer.
import { constants } from 'node:os'
import type { FromSupervisor, ToSupervisor } from '../protocol/hook/messages.ts'
import { writeAddress } from './address.ts'
import { Copies } from './copies.ts'
import { close } from './linux/libc.ts'
import { isAlive, sendContinue, sendResult } from './linux/notification.ts'
import { markedProcesses, socketDescriptors } from './linux/processes.ts'
import { abandon, openClosedPort, refuse } from './linux/quiet-port.ts'
import {
  connect,
  peerName,
  TCP_CLOSE,
  TCP_ESTABLISHED,
  TCP_SYN_SENT,
  takeError,
  tcpState,
} from './linux/sockets.ts'
import { BoundedMap } from './shared/bounded-map.ts'
import type { Connecting, ConnectMessage, HeldConnect, Place } from './shared/connecting.ts'
import type { ToAnswerer } from './shared/threads.ts'

const ENOENT = 2
const EINPROGRESS = 115
const ENETUNREACH = 101
const ETIMEDOUT = 110
/** The longest that a timer of Node takes: 25 days. */
const longestMs = 2 ** 31 - 1
/** Whether the process still wants a connection is looked at so often, for nobody tells that it has closed a socket. */
const lookMs = 1_000

type Held = { id: bigint; timer: NodeJS.Timeout | undefined }
/** `connection` tells one connect of a socket from a later one. */
type Made = Connecting & { connection: string; calls: Held[]; hasDescriptors: boolean }
type Message = Extract<ToSupervisor, { type: 'dialled' | 'established' | 'refused' | 'learn' }>

export class Connections {
  readonly #made = new Map<bigint, Made>()
  readonly #copies: Copies
  readonly #closed = new Map<string, number>()
  /** Established for a call that a signal ended before it heard so: made again, it hears that. */
  readonly #unheard = new BoundedMap<bigint, true>(256)
  #count = 0

  constructor(
    readonly processId: string,
    readonly notifications: number,
    readonly say: (message: FromSupervisor) => void,
    readonly tellAnswerer: (message: ToAnswerer) => void,
  ) {
    this.#copies = new Copies(processId)
    setInterval(() => this.#lookAtAll(), lookMs).unref()
  }

  hear(message: ConnectMessage): void {
    if (message.type === 'stayed') this.say(message)
    else if (message.type === 'connecting') this.#begin(message.connecting)
    else if (message.type === 'held') this.#hold(message.cookie, message.place, message.held)
    else this.#abandon(message.cookie)
  }

  take(message: Message): void {
    if (message.type === 'learn') {
      this.tellAnswerer(message)
      // The answerer reads its messages before each decision, so that it is in force from here on.
      this.say({ type: 'learned', learning: message.learning })
      return
    }
    const cookie = BigInt(message.connection.split('.')[0] ?? '')
    const made = this.#made.get(cookie)
    if (made?.connection !== message.connection) return
    if (message.type === 'dialled') {
      this.tellAnswerer({ type: 'dialled', cookie, local: message.local })
      this.say({ type: 'known', connection: message.connection })
    } else if (message.type === 'established') {
      if (message.local !== undefined) this.tellAnswerer({ type: 'dialled', cookie, local: message.local })
      this.#established(made)
    } else this.#refused(made, constants.errno[message.errno as keyof typeof constants.errno] ?? ENETUNREACH)
  }

  #begin(connecting: Connecting): void {
    const { cookie, to, rule, from, held } = connecting
    this.#count += 1
    const connection = `${cookie}.${this.#count}`
    this.#made.set(cookie, { ...connecting, connection, calls: [], hasDescriptors: true })
    this.say({ type: 'connect', connection, to, rule, from, waits: held !== undefined })
    if (held !== undefined) this.#hold(cookie, connecting.place, held)
  }

  #hold(cookie: bigint, place: Place, { id, timeoutMs }: HeldConnect): void {
    const made = this.#made.get(cookie)
    if (made === undefined) {
      this.#answerLate(id, cookie, place)
      return
    }
    const late = () => {
      made.calls = made.calls.filter(call => call.id !== id)
      this.#answer(id, -EINPROGRESS)
    }
    const timer = timeoutMs > 0 ? setTimeout(late, Math.min(timeoutMs, longestMs)) : undefined
    made.calls.push({ id, timer })
  }

  /** It was decided while the call was on its way here: a connected socket is the kernel's to answer for, any other must not reach its network. */
  #answerLate(id: bigint, cookie: bigint, place: Place): void {
    if (this.#unheard.delete(cookie)) {
      this.#answer(id, 0)
      return
    }
    const copy = this.#copies.at(place, cookie)
    const isConnected = copy !== undefined && typeof peerName(copy) !== 'number'
    if (copy !== undefined) close(copy)
    if (!isConnected) this.#answer(id, -ENETUNREACH)
    else {
      sendContinue(this.notifications, bytesOf(id))
      this.tellAnswerer({ type: 'answered', id })
    }
  }

  /** False when a signal has ended the call. */
  #answer(id: bigint, result: number): boolean {
    const sent = sendResult(this.notifications, bytesOf(id), result)
    this.tellAnswerer({ type: 'answered', id })
    return sent !== -ENOENT
  }

  /** Whether all of them have heard. */
  #release({ calls }: Made, result: number): boolean {
    let heard = true
    for (const { id, timer } of calls.splice(0)) {
      clearTimeout(timer)
      heard = this.#answer(id, result) && heard
    }
    return heard
  }

  /** Calls that a signal has ended are nobody's any more: their program learns of the connection by poll, or connects again. */
  #dropDead(made: Made): void {
    made.calls = made.calls.filter(({ id, timer }) => {
      if (isAlive(this.notifications, bytesOf(id))) return true
      clearTimeout(timer)
      this.tellAnswerer({ type: 'answered', id })
      return false
    })
  }

  #established(made: Made): void {
    this.#made.delete(made.cookie)
    this.#dropDead(made)
    if (made.calls.length === 0) return
    const copy = this.#copies.of(made)
    // Hears of the success in the process's place: the next connect of that socket gives EISCONN, as after any other. The kernel looks at no
    // address then, and our own would lead nowhere else.
    if (copy !== undefined && tcpState(copy) === TCP_ESTABLISHED)
      connect(copy, writeAddress(made.family, made.from))
    if (copy !== undefined) close(copy)
    if (!this.#release(made, 0)) this.#unheard.set(made.cookie, true)
  }

  #refused(made: Made, errno: number): void {
    const { cookie } = made
    this.#made.delete(cookie)
    this.#dropDead(made)
    const isHeld = made.calls.length > 0
    // Known to the answerer before the process can ask.
    this.tellAnswerer(isHeld ? { type: 'forget', cookie } : { type: 'refused', cookie, errno })
    const copy = this.#copies.of(made)
    if (copy !== undefined && tcpState(copy) === TCP_SYN_SENT) {
      if (isHeld) abandon(copy)
      else refuse(copy, this.#closedFor(made))
    }
    if (copy !== undefined) close(copy)
    this.#release(made, -errno)
  }

  /** Where nobody listens, by the protocol that the socket went to the quiet port by. */
  #closedFor({ family, from }: Made): Buffer {
    const address = from.address.includes(':') ? '::1' : '127.0.0.1'
    const port = this.#closed.get(address) ?? openClosedPort(address)
    this.#closed.set(address, port)
    return writeAddress(family, { address, port: Math.max(port, 1) })
  }

  #abandon(cookie: bigint): void {
    const made = this.#made.get(cookie)
    if (made === undefined) return
    this.#made.delete(cookie)
    this.#release(made, -ENETUNREACH)
    this.say({ type: 'abandoned', connection: made.connection })
  }

  /** The process may have closed the socket, or ended, or the kernel may have given up in its place (TCP_USER_TIMEOUT, TCP_SYNCNT). */
  #lookAtAll(): void {
    if (this.#made.size === 0) return
    const open = new Set(markedProcesses(this.processId).flatMap(pid => [...socketDescriptors(pid).keys()]))
    for (const made of [...this.#made.values()]) {
      if (made.calls.length > 0) this.#endWithKernel(made)
      // Twice in a row, for it may have been handed from one process to another while we looked.
      if (open.has(String(made.inode))) made.hasDescriptors = true
      else if (made.hasDescriptors) made.hasDescriptors = false
      else this.#abandon(made.cookie)
    }
  }

  #endWithKernel(made: Made): void {
    const copy = this.#copies.of(made)
    if (copy === undefined) return
    if (tcpState(copy) === TCP_CLOSE) {
      this.tellAnswerer({ type: 'forget', cookie: made.cookie })
      this.#release(made, -(takeError(copy) || ETIMEDOUT))
      this.#abandon(made.cookie)
    }
    close(copy)
  }
}

function bytesOf(id: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(id)
  return bytes
}
