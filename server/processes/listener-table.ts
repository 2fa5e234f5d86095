// The listeners of one hooked process, and the ports on which it listened a moment ago.
import type { Endpoint } from '../../protocol/codec.ts'

export type Listener = { asked: Endpoint; actual: Endpoint }

/** A program that restarts is back sooner: its port stays captured, so that no request that follows is missed. */
export const restartMs = 5_000

export class ListenerTable {
  readonly #listeners = new Map<string, Listener>()
  readonly #restarting = new Map<number, NodeJS.Timeout>()
  readonly #changed: () => void

  /** `changed` is called when a port is not the process's any more. */
  constructor(changed: () => void) {
    this.#changed = changed
  }

  /** Newest last. */
  get all(): Listener[] {
    return [...this.#listeners.values()]
  }

  /** Ports that the process listens on, or may be about to listen on again. */
  get ports(): number[] {
    return [...this.all.map(({ asked }) => asked.port), ...this.#restarting.keys()]
  }

  add(id: string, { asked, actual }: Listener): void {
    this.#listeners.delete(id)
    this.#listeners.set(id, { asked, actual })
  }

  /** Nothing is delivered to it any more, from here on. */
  close(id: string): void {
    const port = this.#listeners.get(id)?.asked.port
    if (port === undefined) return
    this.#listeners.delete(id)
    clearTimeout(this.#restarting.get(port))
    const over = () => {
      this.#restarting.delete(port)
      this.#changed()
    }
    this.#restarting.set(port, setTimeout(over, restartMs).unref())
  }

  clear(): void {
    this.#listeners.clear()
    for (const timer of this.#restarting.values()) clearTimeout(timer)
    this.#restarting.clear()
  }
}
