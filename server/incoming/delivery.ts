// One connection to the process: what the caller sent goes in, what the process answers goes to the views and nowhere else.
import type { Socket } from 'node:net'
import type { ProcessTap } from '../traffic/connection.ts'
import type { Dialled } from './dial.ts'
import { sendReset } from './send-reset.ts'

export type DeliveryOptions = {
  dial(signal: AbortSignal): Promise<Dialled>
  tap: ProcessTap
  clock(): number
  /** So many bytes are held here no longer. */
  onFreed(bytes: number): void
  onOver(end: DeliveryEnd): void
}

/** How a delivery ended, said once. `lostBytes` could not be given to the process; `refused`: nothing listened. */
export type DeliveryEnd = { reason: string; lostBytes: number; connected: boolean; refused: boolean }

/** How long bytes that came before a reset may take on their way to the process. */
const flushTimeoutMs = 1_000

/**
 * Bytes wait here until the connection stands and while the process does not read; each is freed, and its credit granted, when the kernel
 * has taken it. So a connection whose process is slow holds at most the link's window (256 KiB) here, 1 MiB at the agent, and what the
 * kernel's two socket buffers take (and all copies of a session together at most 64 MiB here); past that the agent gives the copy up, and the pod notices nothing.
 */
export class Delivery {
  #socket: Socket | undefined
  #queue: Buffer[] = []
  #heldBytes = 0
  #callerEnded = false
  #resetReason: string | undefined
  #processEnded = false
  #over = false
  #flushTimer: NodeJS.Timeout | undefined
  readonly #abort = new AbortController()
  readonly #options: DeliveryOptions

  constructor(options: DeliveryOptions) {
    this.#options = options
    options.dial(this.#abort.signal).then(dialled => this.#dialled(dialled))
  }

  /** The process has said all it will say on this connection. */
  get processEnded(): boolean {
    return this.#processEnded
  }

  get over(): boolean {
    return this.#over
  }

  write(bytes: Buffer): void {
    this.#heldBytes += bytes.length
    if (this.#socket === undefined) this.#queue.push(bytes)
    else this.#send(this.#socket, bytes)
  }

  /** The caller's half-close; what the process answers is still read. */
  end(): void {
    this.#callerEnded = true
    this.#endWhenFlushed()
  }

  /** A reset, after the bytes that came before it. */
  reset(reason: string): void {
    if (this.#over || this.#resetReason !== undefined) return
    this.#resetReason = reason
    if (this.#heldBytes === 0 && this.#socket === undefined) this.abort(reason)
    else {
      this.#flushTimer = setTimeout(() => this.abort(reason), flushTimeoutMs)
      this.#endWhenFlushed()
    }
  }

  /** Ends at once. */
  abort(reason: string): void {
    if (this.#over) return
    this.#resetReason ??= reason
    this.#abort.abort()
    if (this.#socket === undefined) this.#finish(this.#resetReason)
    else sendReset(this.#socket)
  }

  #dialled(dialled: Dialled): void {
    if (this.#over) {
      if ('socket' in dialled) sendReset(dialled.socket)
      return
    }
    if ('socket' in dialled) this.#begin(dialled.socket)
    else this.#finish(dialled.reason, dialled.refused)
  }

  #begin(socket: Socket): void {
    const { tap, clock } = this.#options
    this.#socket = socket
    let failure: string | undefined
    socket.on('data', bytes => tap.data(bytes, clock()))
    socket.on('end', () => {
      this.#processEnded = true
      tap.answered(clock())
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      failure = error.code === 'ECONNRESET' || error.code === 'EPIPE' ? closedByProcess : String(error.code)
    })
    socket.on('close', () => this.#finish(this.#resetReason ?? failure))
    socket.resume()
    const queue = this.#queue
    this.#queue = []
    for (const bytes of queue) this.#send(socket, bytes)
    this.#endWhenFlushed()
  }

  #send(socket: Socket, bytes: Buffer): void {
    socket.write(bytes, error => {
      // What failed is freed, and counted as lost, when the socket closes.
      if (this.#over || error != null) return
      this.#heldBytes -= bytes.length
      this.#options.tap.delivered(bytes.length)
      this.#options.onFreed(bytes.length)
      this.#endWhenFlushed()
    })
  }

  /** Only when all bytes have left: a shutdown that waits for bytes could not be followed by a reset. */
  #endWhenFlushed(): void {
    if (this.#heldBytes > 0 || this.#socket === undefined) return
    if (this.#resetReason !== undefined) sendReset(this.#socket)
    else if (this.#callerEnded) this.#socket.end()
  }

  #finish(reason: string | undefined, refused = false): void {
    if (this.#over) return
    this.#over = true
    clearTimeout(this.#flushTimer)
    const { tap, clock, onFreed, onOver } = this.#options
    const lostBytes = this.#heldBytes
    this.#queue = []
    this.#heldBytes = 0
    if (lostBytes > 0) onFreed(lostBytes)
    if (reason === undefined) tap.end(clock())
    else tap.reset(reason, clock())
    onOver({ reason: reason ?? closedByProcess, lostBytes, connected: this.#socket !== undefined, refused })
  }
}

export const closedByProcess = 'the process closed the connection'
