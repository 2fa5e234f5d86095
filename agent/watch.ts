// Watches a target while a session lives: the ports that it listens on, and its end.
import type { AgentEvent } from '../protocol/agent/control.ts'
import type { HeldProcess } from './linux/pidfd.ts'
import { log } from './log.ts'
import { portsOf } from './targets/listeners.ts'
import type { ListenerWatch } from './targets/own-listeners.ts'

const endPollMs = 200
const portsPollMs = 1_000

export type WatchOptions = { held: HeldProcess; listeners: ListenerWatch; tell(event: AgentEvent): void }

/** `ports` is what the target listened on when it was last looked at; events tell of changes. */
export class TargetWatch {
  ports: number[]
  readonly #options: WatchOptions
  readonly #timers: NodeJS.Timeout[]

  constructor(options: WatchOptions) {
    this.#options = options
    this.ports = portsOf(options.listeners.read())
    this.#timers = [
      setInterval(() => this.#checkEnd(), endPollMs),
      setInterval(() => this.#checkPorts(), portsPollMs),
    ]
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer)
  }

  /** Told once. The ports are looked at first, so that they are never looked at in a process that took over the pid. */
  #checkEnd(): void {
    if (!this.#options.held.ended()) return
    this.close()
    this.#options.tell({ event: 'targetEnded' })
  }

  #checkPorts(): void {
    if (this.#options.held.ended()) return
    const ports = this.#readPorts()
    if (ports.join() === this.ports.join()) return
    this.ports = ports
    this.#options.tell({ event: 'ports', ports })
  }

  /** A process that ends while it is read gives errors of all kinds; the next look tells of its end. */
  #readPorts(): number[] {
    try {
      return portsOf(this.#options.listeners.read())
    } catch (error) {
      log(`the target's listeners could not be read: ${String(error)}`)
      return this.ports
    }
  }
}
