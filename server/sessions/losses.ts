// Tells the user, with counts, of copies that the process did not get: the first at once, then totals as they grow, and all in the end.
import type { CaptureCounters } from '../../protocol/agent/control.ts'
import type { Client } from '../rpc/client.ts'

/** While more is lost, the totals are told so often. */
export const tellEveryMs = 5_000

const fromAgent = {
  ringDrops: { unit: 'packet', reason: 'the capture ring was full' },
  unopened: { unit: 'connection', reason: 'the agent or the link could not keep up' },
} as const

/**
 * Reasons for which nobody is slow: the process is not up, or has hung up, or the capture ended as it was told to. They are for the log,
 * all others are warnings.
 */
const ordinary = [
  /^nothing listens on port /,
  /^the process closed the connection$/,
  /^its port is no longer mirrored$/,
  /^the capture ended$/,
  /^no packet for /,
]

export class Losses {
  readonly #warned: Tally
  readonly #logged: Tally
  /** What agents before this one lost, and what this one has said last. */
  #before = { ringDrops: 0, unopened: 0 }
  #last = { ringDrops: 0, unopened: 0 }

  constructor(client: Pick<Client, 'show' | 'log'>) {
    this.#warned = new Tally(text => client.show('warning', `Lost on the way to the process ${text}`))
    this.#logged = new Tally(text => client.log('info', `Not delivered to the process ${text}`))
  }

  /** A copy that the process did not get, or not whole. */
  copy(reason: string): void {
    const tally = ordinary.some(pattern => pattern.test(reason)) ? this.#logged : this.#warned
    tally.add('connection', reason, 1)
  }

  /** What the agent lost before it became a copy; the copies that it gave up are known by their resets. */
  agent({ ringDrops, unopened }: CaptureCounters): void {
    this.#last = { ringDrops, unopened }
    for (const name of ['ringDrops', 'unopened'] as const) {
      const { unit, reason } = fromAgent[name]
      this.#warned.set(unit, reason, this.#before[name] + this.#last[name])
    }
  }

  /** Another agent counts from nothing. */
  agentAgain(): void {
    const { ringDrops, unopened } = this.#before
    this.#before = {
      ringDrops: ringDrops + this.#last.ringDrops,
      unopened: unopened + this.#last.unopened,
    }
    this.#last = { ringDrops: 0, unopened: 0 }
  }

  /** The session is over: the totals, if anything was lost. */
  end(): void {
    this.#warned.end()
    this.#logged.end()
  }
}

/** Counts by reason, told at most every `tellEveryMs`. */
class Tally {
  readonly #tell: (text: string) => void
  readonly #counts = new Map<string, { unit: string; reason: string; count: number }>()
  #news = false
  #timer: NodeJS.Timeout | undefined
  #ended = false

  constructor(tell: (text: string) => void) {
    this.#tell = tell
  }

  add(unit: string, reason: string, more: number): void {
    this.set(unit, reason, (this.#counts.get(`${unit} ${reason}`)?.count ?? 0) + more)
  }

  set(unit: string, reason: string, count: number): void {
    const key = `${unit} ${reason}`
    if (this.#ended || count === (this.#counts.get(key)?.count ?? 0)) return
    this.#counts.set(key, { unit, reason, count })
    this.#news = true
    if (this.#timer === undefined) this.#tellNews()
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    clearTimeout(this.#timer)
    if (this.#counts.size > 0) this.#tell(`in all: ${this.#text()}`)
  }

  #tellNews(): void {
    this.#timer = undefined
    if (!this.#news) return
    this.#news = false
    this.#tell(`so far: ${this.#text()}`)
    this.#timer = setTimeout(() => this.#tellNews(), tellEveryMs)
    this.#timer.unref()
  }

  #text(): string {
    return [...this.#counts.values()]
      .map(({ unit, reason, count }) => `${count} ${unit}${count === 1 ? '' : 's'} (${reason})`)
      .join(', ')
  }
}
