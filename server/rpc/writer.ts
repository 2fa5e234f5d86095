// Writes messages to the client, and tells producers of bulk (output, traffic) when to wait, so that a client that does not read costs bounded memory.
import type { Writable } from 'node:stream'
import { encodeMessage } from './framing.ts'

/** Above this, whoever can wait must wait, and no further request is read. One message may pass it by its own size. */
export const congestedBytes = 1 << 20
/** Above this, messages that may be lost (logs) are lost. */
export const droppableBytes = 256 << 10

export class MessageWriter {
  readonly #output: Writable
  readonly #onSend: (message: object) => void
  #room: Promise<void> | undefined
  #closed = false

  /** `onSend` sees every message, answers and notifications alike, before it is written. */
  constructor(
    output: Writable,
    onBroken: (cause: Error) => void,
    onSend: (message: object) => void = () => {},
  ) {
    this.#output = output
    this.#onSend = onSend
    output.on('error', cause => {
      this.#closed = true
      onBroken(cause)
    })
    output.on('close', () => {
      this.#closed = true
    })
  }

  get pendingBytes(): number {
    return this.#output.writableLength
  }

  get congested(): boolean {
    return !this.#closed && this.pendingBytes > congestedBytes
  }

  send(message: object): void {
    if (this.#closed || this.#output.writableEnded) return
    this.#onSend(message)
    this.#output.write(encodeMessage(message))
  }

  /** Resolves when the client has read what was sent so far, or is gone. */
  room(): Promise<void> {
    if (!this.congested) return Promise.resolve()
    this.#room ??= new Promise<void>(resolve => {
      const done = () => {
        this.#room = undefined
        for (const event of ['drain', 'close', 'error']) this.#output.off(event, done)
        resolve()
      }
      for (const event of ['drain', 'close', 'error']) this.#output.on(event, done)
    })
    return this.#room
  }

  /** Resolves when everything sent was handed to the system, or cannot be any more, or after `timeoutMs`. */
  finish(timeoutMs: number): Promise<void> {
    if (this.#closed || this.pendingBytes === 0) return Promise.resolve()
    return new Promise(resolve => {
      const timer = setTimeout(resolve, timeoutMs)
      const done = () => {
        clearTimeout(timer)
        resolve()
      }
      for (const event of ['close', 'error']) this.#output.once(event, done)
      // "drain" would not come for less than the high-water mark; an empty write comes after all others.
      this.#output.write('', done)
    })
  }
}
