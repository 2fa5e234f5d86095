// Unix sockets that hooked processes connect to the pod's, in the supervisor's main thread: from the held call to its answer.
import { constants } from 'node:os'
import type { FromSupervisor, ToSupervisor } from '../protocol/hook/messages.ts'
import { Copies } from './copies.ts'
import { close } from './linux/libc.ts'
import { sendResult } from './linux/notification.ts'
import { connect, isListening, isNonBlocking, peerName, setNonBlocking } from './linux/sockets.ts'
import { abstractAddress } from './linux/unix-sockets.ts'
import { BoundedMap } from './shared/bounded-map.ts'
import type { ToAnswerer } from './shared/threads.ts'
import type { UnixConnecting, UnixConnectMessage } from './shared/unix-connecting.ts'

const { ENOENT, EBADF, EAGAIN, EINVAL, EISCONN, ENETUNREACH, ECONNREFUSED } = constants.errno
/** What a listener whose queue is full is waited for, and a link that is away. */
const queueMs = 10_000
/** Whatever the server does: it answers sooner. */
const patienceMs = queueMs + 5_000

type Held = { id: bigint; timer: NodeJS.Timeout | undefined }
/** `connection` tells one connect of a socket from a later one. */
type Made = UnixConnecting & { connection: string; calls: Held[]; patience: NodeJS.Timeout }
type Message = Extract<ToSupervisor, { type: 'unixMeet' | 'established' | 'refused' }>

export class UnixConnections {
  readonly #made = new Map<bigint, Made>()
  readonly #copies: Copies
  /** Established for a call that a signal ended before it heard so: made again, it hears that. */
  readonly #unheard = new BoundedMap<bigint, true>(256)
  #count = 0

  constructor(
    processId: string,
    readonly notifications: number,
    readonly say: (message: FromSupervisor) => void,
    readonly tellAnswerer: (message: ToAnswerer) => void,
  ) {
    this.#copies = new Copies(processId)
  }

  hear({ connecting }: UnixConnectMessage): void {
    const { cookie, id, path } = connecting
    const before = this.#made.get(cookie)
    // A signal has ended the call and it is made again, or another thread makes it too.
    if (before?.path === path) {
      this.#hold(before, connecting)
      return
    }
    if (before !== undefined) this.#abandon(before, -ECONNREFUSED)
    const result = this.#unheard.delete(cookie) ? 0 : this.#resultOf(connecting)
    if (result === undefined) this.#begin(connecting)
    else this.#answer(id, result)
  }

  /** False when it is about no connection of these. */
  take(message: Message): boolean {
    const made = this.#find(message.connection)
    if (made === undefined) return message.type === 'unixMeet'
    if (message.type === 'unixMeet') this.#meet(made, message.name)
    else if (message.type === 'established') this.#established(made)
    else this.#end(made, -(constants.errno[message.errno as keyof typeof constants.errno] ?? ECONNREFUSED))
    return true
  }

  #find(connection: string): Made | undefined {
    const [kind, cookie = ''] = connection.split('.')
    const made = kind === 'unix' ? this.#made.get(BigInt(cookie)) : undefined
    return made?.connection === connection ? made : undefined
  }

  /** What the kernel would say of the socket, whatever the address; undefined when it can be connected. */
  #resultOf({ place, cookie }: UnixConnecting): number | undefined {
    const copy = this.#copies.at(place, cookie)
    if (copy === undefined) return -EBADF
    const isConnected = typeof peerName(copy) !== 'number'
    const result = isListening(copy) ? -EINVAL : isConnected ? -EISCONN : undefined
    close(copy)
    return result
  }

  #begin(connecting: UnixConnecting): void {
    this.#count += 1
    const { cookie, path, rule, isBlocking, timeoutMs, seqpacket } = connecting
    const connection = `unix.${cookie}.${this.#count}`
    const patience = setTimeout(() => this.#abandon(made, -ENETUNREACH), patienceMs)
    const made: Made = { ...connecting, connection, calls: [], patience }
    this.#made.set(cookie, made)
    this.#hold(made, connecting)
    const withinMs = isBlocking ? Math.min(timeoutMs || queueMs, queueMs) : 0
    this.say({ type: 'unixConnect', connection, path, rule, withinMs, supervisor: process.pid, seqpacket })
  }

  #hold(made: Made, { id, isBlocking, timeoutMs }: UnixConnecting): void {
    const late = () => {
      made.calls = made.calls.filter(call => call.id !== id)
      this.#answer(id, -EAGAIN)
      if (made.calls.length === 0) this.#abandon(made, -EAGAIN)
    }
    const isTimed = isBlocking && timeoutMs > 0 && timeoutMs < patienceMs
    made.calls.push({ id, timer: isTimed ? setTimeout(late, timeoutMs) : undefined })
  }

  /** Also when a signal has ended the call: it is made again, or the process closes its socket, which ends the connection. */
  #meet(made: Made, name: string): void {
    const copy = this.#copies.of(made)
    if (copy === undefined) {
      this.#abandon(made, -EBADF)
      return
    }
    const result = connectAtOnce(copy, abstractAddress(name))
    close(copy)
    if (result < 0) this.#abandon(made, -ECONNREFUSED)
    else this.say({ type: 'known', connection: made.connection })
  }

  #established(made: Made): void {
    // Known to the answerer before the process can ask.
    this.tellAnswerer({ type: 'unixConnected', cookie: made.cookie, shown: made.shown })
    if (!this.#end(made, 0)) this.#unheard.set(made.cookie, true)
  }

  /** Whether a call has heard it. */
  #end(made: Made, result: number): boolean {
    clearTimeout(made.patience)
    this.#made.delete(made.cookie)
    let heard = false
    for (const { id, timer } of made.calls.splice(0)) {
      clearTimeout(timer)
      heard = this.#answer(id, heard && result === 0 ? -EISCONN : result) || heard
    }
    return heard
  }

  #abandon(made: Made, result: number): void {
    this.#end(made, result)
    this.say({ type: 'abandoned', connection: made.connection })
  }

  /** False when a signal has ended the call. */
  #answer(id: bigint, result: number): boolean {
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64LE(id)
    const sent = sendResult(this.notifications, bytes, result)
    this.tellAnswerer({ type: 'answered', id })
    return sent !== -ENOENT
  }
}

function connectAtOnce(copy: number, address: Buffer): number {
  const isBlocking = !isNonBlocking(copy)
  if (isBlocking) setNonBlocking(copy, { nonBlocking: true })
  const result = connect(copy, address)
  if (isBlocking) setNonBlocking(copy, { nonBlocking: false })
  return result
}
