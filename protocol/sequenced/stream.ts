// A socket that keeps message boundaries as a stream of Node's: what it gives and takes are frames of sequenced/frame.ts, however they are cut.
import { Duplex } from 'node:stream'
import { Failure } from '../errors.ts'
import { frameMessage, Unframer } from './frame.ts'

/** A connected socket, owned by the stream; nothing of it waits. What fails throws an error whose `code` is the errno. */
export type SequencedSocket = {
  /** The next message. */
  receive(): Buffer | 'later' | 'end'
  /** False when there is no room for it yet. */
  send(message: Buffer): boolean
  /** shutdown(2): the other end reads an end. */
  endSending(): void
  /** Calls `ready` once, when it is worth another try. */
  wait(direction: 'receive' | 'send', ready: () => void): void
  /** No `ready` is called after it. */
  close(): void
}

/** What waits in each direction before the other end is held back. */
const highWaterBytes = 256 << 10

/** Each direction ends by itself, and the socket is closed when both have. */
export class SequencedStream extends Duplex {
  readonly #socket: SequencedSocket
  readonly #unframer = new Unframer()
  #isWaiting = false

  constructor(socket: SequencedSocket) {
    super({
      ...{ allowHalfOpen: true, decodeStrings: true },
      ...{ readableHighWaterMark: highWaterBytes, writableHighWaterMark: highWaterBytes },
    })
    this.#socket = socket
  }

  override _read(): void {
    if (this.#isWaiting) return
    try {
      for (;;) {
        const got = this.#socket.receive()
        if (got === 'later') break
        if (!this.push(got === 'end' ? null : frameMessage(got))) return
      }
    } catch (thrown) {
      this.destroy(thrown as Error)
      return
    }
    this.#isWaiting = true
    this.#socket.wait('receive', () => {
      this.#isWaiting = false
      this._read()
    })
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    try {
      this.#send(this.#unframer.push(bytes), done)
    } catch (thrown) {
      done(thrown as Error)
    }
  }

  #send(messages: Buffer[], done: (error?: Error) => void): void {
    try {
      for (let next = messages[0]; next !== undefined; next = messages[0]) {
        if (!this.#socket.send(next)) {
          this.#socket.wait('send', () => this.#send(messages, done))
          return
        }
        messages.shift()
      }
    } catch (thrown) {
      done(thrown as Error)
      return
    }
    done()
  }

  override _final(done: (error?: Error) => void): void {
    if (this.#unframer.isWithin) {
      done(new Failure('frame-invalid', { reason: 'a message was cut off' }))
      return
    }
    try {
      this.#socket.endSending()
      done()
    } catch (thrown) {
      done(thrown as Error)
    }
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.close()
    done(error)
  }
}
