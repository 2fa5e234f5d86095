// Announced connections of one supervisor: each waits for its confirmation, with a deadline.
import type { Endpoint } from '../../protocol/codec.ts'
import type { ToSupervisor } from '../../protocol/hook/messages.ts'

/** A supervisor that is stopped (a debugger, the freezer) must not hold up delivery for longer. */
const announceTimeoutMs = 2_000

export type Announced = {
  /** Asked when the connection stands, before anything is sent on it: whether a hooked process has it, and nobody else. False when in doubt. */
  reached(to: Endpoint): Promise<boolean>
  retract(): void
}

export class Announcements {
  readonly #send: (message: ToSupervisor) => void
  readonly #waiting = new Map<number, { resolve(): void; reject(cause: Error): void }>()
  readonly #asked = new Map<number, (hooked: boolean) => void>()
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
    return { retract, reached: to => this.#reached(announcement, to) }
  }

  #reached(announcement: number, to: Endpoint): Promise<boolean> {
    return new Promise(resolve => {
      const answer = (hooked: boolean) => {
        clearTimeout(timer)
        this.#asked.delete(announcement)
        resolve(hooked)
      }
      const timer = setTimeout(() => answer(false), announceTimeoutMs)
      this.#asked.set(announcement, answer)
      this.#send({ type: 'connected', announcement, to })
    })
  }

  confirmed(announcement: number): void {
    this.#waiting.get(announcement)?.resolve()
  }

  reached(announcement: number, hooked: boolean): void {
    this.#asked.get(announcement)?.(hooked)
  }

  /** The supervisor is gone. */
  fail(): void {
    for (const answer of this.#asked.values()) answer(false)
    for (const { reject } of this.#waiting.values()) reject(new Error('the hooks of the process are gone'))
  }
}
