// Follows the questions of one channel, a connection or a socket's datagrams to one nameserver, so that each is told once to whoever looks: with its answer, or that it had none.
import type { Endpoint } from '../../protocol/codec.ts'
import type { LookedUp } from '../../protocol/rpc/outgoing-events.ts'
import type { LookupSink } from '../traffic/traffic.ts'
import type { Choice } from './choice.ts'
import { idOf, type Question, type Reply, rcodeOf } from './wire.ts'

export type LookupsOptions = {
  nameserver: Endpoint
  protocol: 'tcp' | 'udp'
  sink: LookupSink
  /** Milliseconds after which a question has no answer, where nobody else says so. */
  withinMs?: number
}
type Open = { id: number; question: Question; choice: Choice; askedMs: number }
type End = Pick<LookedUp, 'code' | 'reason' | 'file'> & Partial<Pick<LookedUp, 'addresses' | 'records'>>

/** One that is asked while more have no answer is not followed. */
const mostOpen = 1_000

export class Lookups {
  readonly #options: LookupsOptions
  /** The oldest first. */
  readonly #open = new Map<string, Open>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: LookupsOptions) {
    this.#options = options
  }

  /** One that is asked again, because a datagram may be lost, is the same. */
  asked(question: Question, choice: Choice): void {
    const { sink } = this.#options
    const key = keyOf(question)
    if (!sink.viewing || this.#open.size >= mostOpen || this.#open.has(key)) return
    this.#open.set(key, { id: question.id, question, choice, askedMs: sink.clock() })
    this.#timer ??= this.#wait()
  }

  /** `reply` is what could be read of `message`; `file` had it. */
  answered(message: Buffer, reply: Reply | undefined, file?: string): void {
    const key = this.#keyFor(message, reply)
    if (key === undefined) return
    const { addresses, records } = reply ?? {}
    const found = addresses === undefined || records === undefined ? {} : { addresses, records }
    this.#end(key, { code: rcodeOf(message), ...found, ...(file === undefined ? {} : { file }) })
  }

  /** It is not told. */
  forget(message: Buffer, reply: Reply | undefined): void {
    const key = this.#keyFor(message, reply)
    if (key !== undefined) this.#take(key)
  }

  /** None that is open gets an answer; without a reason nobody waits for it any more. */
  failed(reason?: string): void {
    for (const key of [...this.#open.keys()]) this.#end(key, reason === undefined ? {} : { reason })
  }

  #keyFor(message: Buffer, reply: Reply | undefined): string | undefined {
    const key = reply === undefined ? undefined : keyOf({ ...reply, id: idOf(message) })
    if (key !== undefined && this.#open.has(key)) return key
    // Some servers leave the question out of what they refuse.
    return reply === undefined ? [...this.#open].find(([, { id }]) => id === idOf(message))?.[0] : undefined
  }

  #end(key: string, end: End): void {
    const open = this.#take(key)
    if (open === undefined) return
    const { nameserver, protocol, sink } = this.#options
    const { question, choice, askedMs } = open
    const { name, type } = question
    const at = sink.clock()
    sink.show({
      event: 'lookedUp',
      ...{ at, name, type, ...choice, nameserver, protocol },
      ...{ addresses: [], records: 0, durationMs: at - askedMs },
      ...end,
    })
  }

  #take(key: string): Open | undefined {
    const open = this.#open.get(key)
    this.#open.delete(key)
    if (this.#open.size === 0) this.#rest()
    return open
  }

  #wait(): NodeJS.Timeout | undefined {
    const { withinMs, sink } = this.#options
    if (withinMs === undefined) return undefined
    const late = () => {
      const before = sink.clock() - withinMs
      for (const [key, { askedMs }] of this.#open)
        if (askedMs <= before) this.#end(key, { reason: 'ETIMEDOUT' })
    }
    return setInterval(late, Math.min(withinMs, 1_000)).unref()
  }

  #rest(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}

const keyOf = ({ id, name, type }: Question): string => `${id} ${type} ${name.toLowerCase()}`
