// What one supervisor was told of the filter's names: each waits for its confirmation, with a deadline.
import type { ToSupervisor } from '../../protocol/hook/messages.ts'
import type { Learned } from '../../protocol/outgoing/filter.ts'
import { within } from '../deadline.ts'

/** A name's answer waits for it, and resolvers ask again after 5 s. */
const confirmTimeoutMs = 2_000

export class Learnings {
  readonly #send: (message: ToSupervisor) => void
  readonly #waiting = new Map<number, () => void>()
  #last = 0

  constructor(send: (message: ToSupervisor) => void) {
    this.#send = send
  }

  /** Resolves when it is in force there; rejects when the supervisor does not say so in time. */
  async learn(learned: Learned): Promise<void> {
    this.#last += 1
    const learning = this.#last
    const confirmed = new Promise<void>(resolve => this.#waiting.set(learning, resolve))
    this.#send({ type: 'learn', learning, learned: plain(learned) })
    const late = () => new Error(`the hooks did not confirm the addresses of ${learned.name} in time`)
    await within(confirmed, confirmTimeoutMs, late).finally(() => this.#waiting.delete(learning))
  }

  confirmed(learning: number): void {
    this.#waiting.get(learning)?.()
  }

  /** The supervisor is gone: the guard refuses whatever may be the pod's. */
  end(): void {
    for (const resolve of this.#waiting.values()) resolve()
  }
}

const plain = ({ name, entries, addresses }: Learned) => ({
  name,
  entries: [...entries],
  addresses: [...addresses],
})
