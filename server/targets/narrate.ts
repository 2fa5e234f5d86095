// Tells the steps of starting an agent as they begin, and while one waits, why and for how long.
import type { OnStep } from './found.ts'

/** When a step that waits is told again, in seconds after it began; then every last of them. */
const toldAfterSeconds = [3, 10, 20, 30]

export class Narrator {
  readonly #onStep: OnStep
  readonly #nowMs: () => number
  #step = ''
  #message = ''
  #beganMs = 0
  #told = 0

  constructor(onStep: OnStep, nowMs: () => number = () => performance.now()) {
    this.#onStep = onStep
    this.#nowMs = nowMs
  }

  /** To be called whenever something may have changed, and now and then besides. */
  tell(step: string, message: string): void {
    const other = step !== this.#step
    if (other) this.#beganMs = this.#nowMs()
    const seconds = Math.floor((this.#nowMs() - this.#beganMs) / 1_000)
    if (!other && message === this.#message && seconds < this.#nextSeconds()) return
    if (other) this.#told = 0
    while (this.#nextSeconds() <= seconds) this.#told += 1
    this.#step = step
    this.#message = message
    this.#onStep(step, seconds < 1 ? message : `${message}, ${seconds} s`)
  }

  #nextSeconds(): number {
    const last = toldAfterSeconds.length - 1
    const beyond = Math.max(0, this.#told - last)
    return (toldAfterSeconds[Math.min(this.#told, last)] ?? 0) + beyond * (toldAfterSeconds[last] ?? 0)
  }
}

/** How often it is looked whether there is something to tell. */
const lookMs = 1_000

/** Tells what is waited for as long as the promise takes; `message` may change meanwhile. */
export async function told<T>(
  promise: Promise<T>,
  narrator: Narrator,
  step: string,
  message: () => string,
): Promise<T> {
  const look = () => narrator.tell(step, message())
  look()
  const timer = setInterval(look, lookMs)
  try {
    return await promise
  } finally {
    clearInterval(timer)
  }
}
