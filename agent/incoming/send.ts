// Gives what was captured to the link, a stream for each direction of a connection, and gives up copies that nobody reads in time.
import type { Opened } from '../../protocol/agent/control.ts'
import type { LinkStream } from '../../protocol/link/link-stream.ts'
import type { StreamWriter } from './subscription.ts'

/**
 * What may wait in one stream, and in all of them, before copies are given up. Together with the link's 16 MiB for resending, this bounds
 * memory. One stream's share is what a busy connection says while the link is away for a minute, or faster than the link takes it.
 */
export const streamQueueBytes = 8 << 20
export const totalQueueBytes = 64 << 20
/** Each stream costs memory for itself, also one without data. */
export const maxStreams = 65_536

const tooSlow = 'the reader is too slow'
const nothing = Buffer.alloc(0)

/** A stream with what was last seen to wait in it; `over` when nothing more is written, though some may still wait. */
type Copy = { stream: LinkStream; queuedBytes: number; over: boolean }

export class Sender {
  /** Streams that were given up because their reader, or the link, was too slow. */
  slow = 0
  /** Connections that the link took no stream for. */
  unopened = 0
  readonly #open: (opened: Opened) => LinkStream
  readonly #copies = new Set<Copy>()
  #queuedBytes = 0

  /** `open` begins a stream that only this side writes to. */
  constructor(open: (opened: Opened) => LinkStream) {
    this.#open = open
  }

  openStream(opened: Opened): StreamWriter {
    const copy = this.#begin(opened)
    if (copy === undefined) return silent
    return {
      data: (bytes, timeMs) => this.#write(copy, { bytes, timeMs }),
      skipped: (bytes, timeMs) => this.#write(copy, { bytes: nothing, timeMs, skipped: bytes }),
      end: () => this.#end(copy),
      reset: reason => this.#reset(copy, reason),
    }
  }

  /** A link that was away for so long that it takes no more opens costs copies, never the capture. */
  #begin(opened: Opened): Copy | undefined {
    try {
      if (this.#copies.size >= maxStreams) throw new Error(`${maxStreams} streams wait`)
      const copy: Copy = { stream: this.#open(opened), queuedBytes: 0, over: false }
      copy.stream.events = {
        data: ({ bytes }) => copy.stream.grant(bytes.length),
        end: () => undefined,
        reset: () => this.#forget(copy),
        drain: () => this.#settle(copy),
      }
      this.#copies.add(copy)
      return copy
    } catch {
      if (opened.direction === 'received') this.unopened += 1
      return undefined
    }
  }

  #write(copy: Copy, data: { bytes: Buffer; timeMs: number; skipped?: number }): void {
    if (copy.over) return
    copy.stream.write(data)
    this.#measure(copy)
    if (copy.queuedBytes > streamQueueBytes) this.#giveUp(copy)
    if (this.#queuedBytes > totalQueueBytes) this.#giveUpLargest()
  }

  /** Queues drain between our writes, so the sum is too high rather than too low; before anything is given up for it, it is taken anew. */
  #giveUpLargest(): void {
    for (const copy of this.#copies) this.#measure(copy)
    while (this.#queuedBytes > totalQueueBytes) {
      const [first, ...others] = this.#copies
      if (first === undefined) return
      this.#giveUp(
        others.reduce((largest, copy) => (copy.queuedBytes > largest.queuedBytes ? copy : largest), first),
      )
    }
  }

  #measure(copy: Copy): void {
    this.#queuedBytes += copy.stream.queuedBytes - copy.queuedBytes
    copy.queuedBytes = copy.stream.queuedBytes
  }

  #giveUp(copy: Copy): void {
    this.slow += 1
    copy.stream.reset(tooSlow)
    this.#forget(copy)
  }

  #reset(copy: Copy, reason: string): void {
    if (copy.over) return
    copy.stream.reset(reason)
    this.#forget(copy)
  }

  /** What waits counts until the link has taken it, or many short connections would wait without bound. */
  #end(copy: Copy): void {
    if (copy.over) return
    copy.over = true
    copy.stream.end()
    this.#settle(copy)
  }

  #settle(copy: Copy): void {
    this.#measure(copy)
    if (copy.over && copy.queuedBytes === 0) this.#forget(copy)
  }

  #forget(copy: Copy): void {
    copy.over = true
    if (this.#copies.delete(copy)) this.#queuedBytes -= copy.queuedBytes
  }
}

const silent: StreamWriter = {
  data: () => undefined,
  skipped: () => undefined,
  end: () => undefined,
  reset: () => undefined,
}
