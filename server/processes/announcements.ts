// Announced connections of one supervisor: each waits for its confirmation, with a deadline.
import type { Endpoint } from '../../protocol/codec.ts'
import type { ToSupervisor } from '../../protocol/hook/messages.ts'

/** A supervisor that is stopped (a debugger, the freezer) must not hold up delivery for longer. */
const announceTimeoutMs = 2_000

export type Announced = { retract(): void }

export class Announcements {
  readonly #send: (message: ToSupervisor) => void
  readonly #waiting = new Map<number, { resolve(): void; reject(cause: Error): void }>()
  #last = 0

  constructor(send: (message: ToSupervisor) => void) {
    this.#send = send
  }

  async announce(connection: { source: Endpoint; caller: Endpoint; pod: Endpoint }): Promise<Announced> {
    this.#last += 1
    const announcement = this.#last
    const confirmed = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error('the hooks did not confirm it in time')),
        announceTimeoutMs,
      )
      this.#waiting.set(announcement, {
        resolve: () => {
          clearTimeout(timer)
          resolve()
        },
        reject: cause => {
          clearTimeout(timer)
          reject(cause)
        },
      })
    })
    const retract = () => this.#send({ type: 'retract', announcement })
    this.#send({ type: 'announce', announcement, ...connection })
    try {
      await confirmed
    } catch (thrown) {
      retract()
      throw thrown
    } finally {
      this.#waiting.delete(announcement)
    }
    return { retract }
  }

  confirmed(announcement: number): void {
    this.#waiting.get(announcement)?.resolve()
  }

  /** The supervisor is gone. */
  fail(): void {
    for (const { reject } of this.#waiting.values()) reject(new Error('the hooks of the process are gone'))
  }
}
