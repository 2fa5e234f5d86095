// Notices that the other end is silent: pings after one heartbeat, gives up after two and a second.

/** How often silence is looked at within one heartbeat. */
const looksPerHeartbeat = 5
const graceMs = 1_000

export class Heartbeat {
  readonly #heartbeatMs: number
  readonly #events: { ping(): void; silent(seconds: number): void }
  #timer: NodeJS.Timeout | undefined
  #heardAtMs = 0
  #pingedAtMs = 0

  constructor(heartbeatMs: number, events: { ping(): void; silent(seconds: number): void }) {
    this.#heartbeatMs = heartbeatMs
    this.#events = events
  }

  start(): void {
    this.stop()
    this.#heardAtMs = performance.now()
    this.#pingedAtMs = this.#heardAtMs
    this.#timer = setInterval(() => this.#look(), this.#heartbeatMs / looksPerHeartbeat).unref()
  }

  heard(): void {
    this.#heardAtMs = performance.now()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #look(): void {
    const nowMs = performance.now()
    if (this.#isSilent(nowMs)) {
      // A process that was stopped or asleep runs its timers before it reads: what waits in the socket is read first.
      const timer = this.#timer
      setImmediate(() => {
        if (this.#timer !== timer || timer === undefined || !this.#isSilent(nowMs)) return
        this.#events.silent(Math.round((nowMs - this.#heardAtMs) / 1_000))
      })
    } else if (Math.min(nowMs - this.#heardAtMs, nowMs - this.#pingedAtMs) >= this.#heartbeatMs) {
      this.#pingedAtMs = nowMs
      this.#events.ping()
    }
  }

  #isSilent(nowMs: number): boolean {
    return nowMs - this.#heardAtMs >= 2 * this.#heartbeatMs + graceMs
  }
}
