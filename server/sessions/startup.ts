// How long starting a session may take as a whole, and the sentence when it takes longer.
import { Failure } from '../../protocol/errors.ts'

export class Startup {
  readonly #seconds: number | undefined
  readonly #beganMs = performance.now()

  /** Without a number each step has a limit of its own. */
  constructor(seconds: number | undefined) {
    this.#seconds = seconds
  }

  /** What the promise gives, or `agent-slow` with what `lack` says when the time for all steps is over. */
  within<T>(promise: Promise<T>, lack: () => string): Promise<T> {
    const seconds = this.#seconds
    if (seconds === undefined) return promise
    const leftMs = this.#beganMs + seconds * 1_000 - performance.now()
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      const fail = () => reject(new Failure('agent-slow', { seconds, reason: lack() }))
      timer = setTimeout(fail, Math.max(0, leftMs))
    })
    return Promise.race([promise, late]).finally(() => clearTimeout(timer))
  }
}
