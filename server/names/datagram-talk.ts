// What a process asks of a nameserver of the pod by one of its UDP sockets, and what it hears from it.
import type { NameTalk } from '../outgoing/datagram-socket.ts'
import type { Choice } from './choice.ts'
import { answerHere } from './here.ts'
import { Lookups, type LookupsOptions } from './lookups.ts'
import { type Found, isTruncated, type Question, readQuestion, readReply } from './wire.ts'

export type DatagramTalkOptions = Omit<LookupsOptions, 'protocol'> & {
  /** Who answers for a name. */
  choose(name: string): Choice
  /** Resolves when connections to these addresses are decided by that name. */
  learned(found: Found | undefined): Promise<void>
}

export class DatagramTalk implements NameTalk {
  readonly #options: DatagramTalkOptions
  readonly #lookups: Lookups

  constructor(options: DatagramTalkOptions) {
    this.#options = options
    this.#lookups = new Lookups({ ...options, protocol: 'udp' })
  }

  asked(payload: Buffer): Promise<Buffer> | undefined {
    const question = readQuestion(payload)
    if (question === undefined) return undefined
    const choice = this.#options.choose(question.name)
    this.#lookups.asked(question, choice)
    return choice.where === 'here' ? this.#answerHere(question) : undefined
  }

  async answered(payload: Buffer): Promise<void> {
    const reply = readReply(payload)
    try {
      await this.#options.learned(reply)
    } catch (thrown) {
      this.#lookups.failed(thrown instanceof Error ? thrown.message : String(thrown))
      throw thrown
    }
    // The process asks again by a connection, and hears it there.
    if (isTruncated(payload)) this.#lookups.forget(payload, reply)
    else this.#lookups.answered(payload, reply)
  }

  refused(errno: string): void {
    this.#lookups.failed(errno)
  }

  close(): void {
    this.#lookups.failed()
  }

  /** Told here, with the file that had it; what passes as an answer then is told no more. */
  async #answerHere(question: Question): Promise<Buffer> {
    const { bytes, file } = await answerHere(question)
    this.#lookups.answered(bytes, readReply(bytes), file)
    return bytes
  }
}
