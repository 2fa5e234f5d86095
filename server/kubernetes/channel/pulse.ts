// Keeps a WebSocket of a channel alive with pings and says when it is dead.
import type { WebSocket } from 'ws'
import { judge } from './liveness.ts'

/** How often the pulse is felt: the error of every time in liveness.ts. */
const tickMs = 1_000

export type PulseOptions = {
  /** Whether the API server answers on another connection; for when silence proves nothing. Never rejects. */
  reachable(): Promise<boolean>
  /** Called once, with what was silent. */
  dead(reason: string): void
  /** Sends a ping whose answer is told by `ponged`; the WebSocket's own by default. */
  ping?(): void
}

export class Pulse {
  readonly #ws: WebSocket
  readonly #options: PulseOptions
  readonly #timer: NodeJS.Timeout
  #heardAtMs = performance.now()
  #pingAtMs: number | undefined
  #awaiting = false
  #sentSincePong = false
  #behindData = false
  #asking = false
  #assured = false
  #stopped = false

  constructor(ws: WebSocket, options: PulseOptions) {
    this.#ws = ws
    this.#options = options
    if (options.ping === undefined) ws.on('pong', this.ponged)
    // The socket keeps the program running, not its pulse.
    this.#timer = setInterval(() => this.#tick(), tickMs).unref()
  }

  heard(): void {
    this.#heardAtMs = performance.now()
  }

  sent(): void {
    this.#sentSincePong = true
  }

  stop(): void {
    this.#stopped = true
    clearInterval(this.#timer)
    this.#ws.off('pong', this.ponged)
  }

  readonly ponged = (): void => {
    this.heard()
    this.#awaiting = false
  }

  #tick(): void {
    if (this.#asking) return
    // What came while we did not read is not heard yet: the clock starts again when we do.
    if (this.#ws.isPaused) this.heard()
    const verdict = judge({
      nowMs: performance.now(),
      heardAtMs: this.#heardAtMs,
      pingAtMs: this.#pingAtMs,
      awaiting: this.#awaiting,
      paused: this.#ws.isPaused,
      behindData: this.#behindData,
      assured: this.#assured,
    })
    if (verdict === 'ping') this.#ping()
    else if (verdict === 'doubt') void this.#ask()
    else if (verdict === 'dead') this.#die()
  }

  #ping(): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return
    this.#behindData = this.#sentSincePong
    this.#sentSincePong = false
    this.#pingAtMs = performance.now()
    this.#awaiting = true
    this.#assured = false
    // A socket that cannot send says so itself, by its end.
    if (this.#options.ping === undefined) this.#ws.ping(undefined, undefined, () => {})
    else this.#options.ping()
  }

  async #ask(): Promise<void> {
    this.#asking = true
    const reachable = await this.#options.reachable()
    this.#asking = false
    if (this.#stopped) return
    this.#assured = reachable
    if (reachable) this.heard()
    else this.#die()
  }

  #die(): void {
    const seconds = Math.round((performance.now() - this.#heardAtMs) / 1_000)
    this.stop()
    this.#options.dead(`nothing came for ${seconds} s, not even the answer to a ping`)
  }
}
