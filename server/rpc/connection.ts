// One JSON-RPC connection: bytes in to the dispatcher, messages out, and one end, whichever side brings it.
import type { Readable } from 'node:stream'
import { asFailure, Failure } from '../../protocol/errors.ts'
import { settledWithin } from '../deadline.ts'
import { Dispatcher } from './dispatch.ts'
import { MessageReader } from './framing.ts'
import type { Handler } from './handler.ts'
import type { MessageWriter } from './writer.ts'

const flushMs = 2_000

/** Why a connection is over: the client said `exit`, its stream ended, it sent what cannot be read, or the server wants to end. */
export type EndReason = 'exit' | 'eof' | 'broken' | 'refused' | 'server'

export class Connection<S> {
  readonly dispatcher: Dispatcher<S>
  /** Resolves once, when nothing is read any more. */
  readonly ended: Promise<EndReason>
  readonly #input: Readable
  readonly #writer: MessageWriter
  readonly #reader = new MessageReader()
  readonly #backlog: Buffer[] = []
  #ended = false
  #resolve!: (reason: EndReason) => void

  constructor(options: {
    input: Readable
    writer: MessageWriter
    handlers: readonly Handler<S>[]
    server(connection: Connection<S>): S
    log(level: 'error' | 'warning' | 'debug', text: string): void
    onMessage(message: object): void
  }) {
    this.#input = options.input
    this.#writer = options.writer
    this.ended = new Promise(resolve => (this.#resolve = resolve))
    this.dispatcher = new Dispatcher({
      server: options.server(this),
      handlers: options.handlers,
      log: options.log,
      send: message => this.#writer.send(message),
      onMessage: options.onMessage,
    })
    this.#input.on('data', (chunk: Buffer) => this.#take(chunk))
    this.#input.on('error', () => this.end('broken'))
    this.#input.on('close', () => this.end('eof'))
    this.#input.on('end', () => {
      if (!this.#reader.betweenMessages) options.log('warning', 'the client ended in the middle of a message')
      this.end('eof')
    })
  }

  end(reason: EndReason): void {
    if (this.#ended) return
    this.#ended = true
    this.#input.pause()
    this.#resolve(reason)
  }

  /** Waits until what was sent is on its way. */
  async flush(): Promise<void> {
    await settledWithin(this.#writer.finish(flushMs), flushMs)
  }

  #take(chunk: Buffer): void {
    if (this.#ended) return
    try {
      for (const body of this.#reader.read(chunk)) this.#backlog.push(body)
    } catch (thrown) {
      this.#drain()
      this.dispatcher.fail(null, asFailure(thrown, 'message'))
      this.end('broken')
    }
    this.#drain()
  }

  /** Handles what was read, and stops reading while the client does not read its answers; requests that wait never stop it. */
  #drain(): void {
    while (this.#backlog.length > 0 && !this.#ended) {
      if (this.#writer.congested) break
      this.dispatcher.handle(this.#backlog.shift()!)
    }
    if (!this.#ended && this.#writer.congested) this.#wait()
  }

  #wait(): void {
    if (this.#input.isPaused()) return
    this.#input.pause()
    void this.#writer.room().then(() => {
      if (this.#ended) return
      this.#input.resume()
      this.#drain()
    })
  }
}

/** A connection that must not be let in: one error, then the end. */
export function refusal(reason: string): Failure {
  return new Failure('request-invalid', { reason })
}
