// A connection to a cluster that ends with the agent that was started over it, or with the search if none was.
import type { Agent } from '../targets/found.ts'
import type { Api } from './client/api.ts'

export class Lent {
  readonly #api: Api
  readonly #signal: AbortSignal
  readonly #close = () => this.#api.close()

  constructor(api: Api, signal: AbortSignal) {
    this.#api = api
    this.#signal = signal
    signal.addEventListener('abort', this.#close, { once: true })
    if (signal.aborted) this.#close()
  }

  async start(start: (api: Api) => Promise<Agent>): Promise<Agent> {
    // What a cancelled start made is deleted over this same connection.
    this.#signal.removeEventListener('abort', this.#close)
    try {
      const agent = await start(this.#api)
      return { ...agent, end: () => agent.end().finally(this.#close) }
    } catch (thrown) {
      this.#api.close()
      throw thrown
    }
  }
}
