// A stream of the link as the agent's end would fill it, and the events of a session's traffic, for tests of delivery.
import type { Opened } from '../../../protocol/agent/control.ts'
import type { LinkStream, StreamData, StreamEvents } from '../../../protocol/link/link-stream.ts'

/** Sends within the credit that is granted back, as the link does; what has no credit waits in `queuedBytes`. */
export class FakeStream implements LinkStream {
  readonly id = 2
  events: StreamEvents | undefined
  queuedBytes = 0
  grantedBytes = 0
  resetReason: string | undefined
  ownHalfEnded = false
  #credit: number
  #queue: (StreamData | 'end')[] = []

  constructor(creditBytes = 256 << 10) {
    this.#credit = creditBytes
  }

  /** The agent sends; pieces of at most 64 KiB, as the link cuts them. */
  arrive(bytes: Buffer | string, timeMs?: number): void {
    const all = Buffer.from(bytes)
    for (let at = 0; at < all.length; at += 64 << 10) {
      const piece = all.subarray(at, at + (64 << 10))
      this.#queue.push(timeMs === undefined ? { bytes: piece } : { bytes: piece, timeMs })
      this.queuedBytes += piece.length
    }
    this.#flush()
  }

  arriveEnd(): void {
    this.#queue.push('end')
    this.#flush()
  }

  arriveReset(reason: string): void {
    this.#queue = []
    this.events?.reset(reason)
  }

  write(): void {
    throw new Error('nothing may be written to a stream of the capture')
  }

  end(): void {
    this.ownHalfEnded = true
  }

  reset(reason: string): void {
    this.resetReason = reason
    this.#queue = []
  }

  grant(bytes: number): void {
    this.grantedBytes += bytes
    this.#credit += bytes
    queueMicrotask(() => this.#flush())
  }

  #flush(): void {
    for (let [next] = this.#queue; next !== undefined && this.#credit > 0; [next] = this.#queue) {
      this.#queue.shift()
      if (next === 'end') this.events?.end()
      else {
        this.#credit -= next.bytes.length
        this.queuedBytes -= next.bytes.length
        this.events?.data(next)
      }
    }
  }
}

/** What the agent says of a connection. */
export function openedOf(connection: string, given: Partial<Opened> = {}): Opened {
  return {
    connection,
    direction: 'received',
    caller: { address: '10.0.0.1', port: 40_000 },
    pod: { address: '10.0.0.2', port: 8080 },
    at: 1000,
    joined: false,
    ...given,
  }
}
