// Requests to the agent over the link and its events: answers are matched by id, each with a deadline.
import type * as t from 'io-ts'
import { type AgentEvent, type AgentRequest, agentAnswer, agentEvent } from '../../protocol/agent/control.ts'
import { decode } from '../../protocol/codec.ts'
import { Failure } from '../../protocol/errors.ts'
import { toldFailure } from '../told-failure.ts'

/** Longer than the link's grace time, so that a request asked while the link is down is answered when it is back. */
const answerTimeoutMs = 75_000

type Question = AgentRequest extends infer R ? (R extends { id: number } ? Omit<R, 'id'> : never) : never

export class AgentTalk {
  readonly #send: (value: object) => void
  readonly #onEvent: (event: AgentEvent) => void
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(failure: Failure): void }>()
  #lastId = 0
  #closed: Failure | undefined

  constructor(options: { send(value: object): void; onEvent(event: AgentEvent): void }) {
    this.#send = options.send
    this.#onEvent = options.onEvent
  }

  /** The checked answer; rejects with the agent's failure, or with `agent-failed`. */
  async ask<A>(question: Question, codec: t.Decoder<unknown, A>): Promise<A> {
    if (this.#closed !== undefined) throw this.#closed
    this.#lastId += 1
    const id = this.#lastId
    const value = await new Promise<unknown>((resolve, reject) => {
      const within = `within ${answerTimeoutMs / 1_000} s`
      const slow = () =>
        reject(new Failure('agent-failed', { reason: `it did not answer "${question.ask}" ${within}` }))
      const timer = setTimeout(slow, answerTimeoutMs)
      this.#waiting.set(id, {
        resolve(answer) {
          clearTimeout(timer)
          resolve(answer)
        },
        reject(failure) {
          clearTimeout(timer)
          reject(failure)
        },
      })
      this.#send({ id, ...question })
    }).finally(() => this.#waiting.delete(id))
    const checked = decode(codec, value)
    if (checked.ok) return checked.value
    throw new Failure(
      'agent-failed',
      { reason: `its answer to "${question.ask}" has another shape` },
      { detail: checked.faults.join('; ') },
    )
  }

  /** A control frame of the agent. */
  take(value: unknown): void {
    const event = decode(agentEvent, value)
    if (event.ok) this.#onEvent(event.value)
    else this.#takeAnswer(value)
  }

  #takeAnswer(value: unknown): void {
    const answer = decode(agentAnswer, value)
    if (!answer.ok) return
    const { id, value: result, failure } = answer.value
    const waiting = this.#waiting.get(id)
    const told = { kind: 'agent-failed', values: { reason: 'it reported a failure' } } as const
    if (failure === undefined) waiting?.resolve(result ?? {})
    else waiting?.reject(toldFailure(failure, told))
  }

  close(reason: string): void {
    this.#closed = new Failure('agent-failed', { reason })
    for (const { reject } of this.#waiting.values()) reject(this.#closed)
  }
}
