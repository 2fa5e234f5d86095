// When to acknowledge what was received: after 1 MiB, 32 frames or 50 ms, whichever comes first.

const ackBytes = 1 << 20
const ackFrames = 32
const ackDelayMs = 50

export class AckClock {
  readonly #due: () => void
  readonly #dueBytes: number
  #bytes = 0
  #frames = 0
  #timer: NodeJS.Timeout | undefined

  /** `keptBytes` is what an end keeps for resending: a quarter of it is acknowledged at once, so that the sender never runs dry. */
  constructor(keptBytes: number, due: () => void) {
    this.#dueBytes = Math.min(ackBytes, keptBytes / 4)
    this.#due = due
  }

  received(bytes: number): void {
    this.#bytes += bytes
    this.#frames += 1
    if (this.#bytes >= this.#dueBytes || this.#frames >= ackFrames) this.#due()
    else this.#timer ??= setTimeout(this.#due, ackDelayMs).unref()
  }

  /** An ack was written. */
  sent(): void {
    this.#bytes = 0
    this.#frames = 0
    this.stop()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
