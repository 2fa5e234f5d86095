// One stream of an endpoint: its two halves, and what its owner may do with them.
import type { LinkStream, StreamData, StreamEvents } from './link-stream.ts'
import { ReceiveHalf } from './receive-half.ts'
import { SendHalf } from './send-half.ts'
import type { WindowBudget } from './window.ts'

/** What a stream tells the keeper of all streams: it may have something to send, a grant to tell, or was reset by its owner. */
type StreamOwner = { sends(): void; grants(): void; resets(reason: string): void }

export class Stream implements LinkStream {
  readonly sending: SendHalf
  readonly receiving: ReceiveHalf
  /** Whether it is among those that wait for their turn; see Turns. */
  readonly waits = { toSend: false, toGrant: false }
  readonly #owner: StreamOwner
  #reset = false
  #drainScheduled = false

  constructor(
    readonly id: number,
    opening: { payload: Buffer; oneWay: boolean } | undefined,
    owner: StreamOwner,
    budget: WindowBudget | undefined,
  ) {
    this.#owner = owner
    this.sending = new SendHalf(id, opening)
    this.receiving = new ReceiveHalf(() => owner.grants(), budget)
  }

  get queuedBytes(): number {
    return this.sending.queuedBytes
  }

  get events(): StreamEvents | undefined {
    return this.receiving.events
  }

  set events(events: StreamEvents | undefined) {
    this.receiving.events = events
  }

  write(data: StreamData): void {
    if (this.#reset) return
    this.sending.write(data)
    this.#owner.sends()
  }

  end(): void {
    this.sending.end()
    this.#owner.sends()
  }

  reset(reason: string): void {
    if (this.#reset) return
    this.#reset = true
    this.#owner.resets(reason)
    this.sending.drop()
    this.receiving.drop()
  }

  grant(bytes: number): void {
    this.receiving.consumed(bytes)
  }

  /** The stream is over, and not by its owner's wish: its reader hears what has come, then the reason. */
  lost(reason: string): void {
    this.#reset = true
    this.sending.drop()
    this.receiving.reset(reason)
  }

  /** A frame was taken: tells the writer when it was the last. */
  drained(): void {
    if (this.queuedBytes > 0 || this.#drainScheduled || this.events?.drain === undefined) return
    this.#drainScheduled = true
    queueMicrotask(() => {
      this.#drainScheduled = false
      if (!this.#reset && this.queuedBytes === 0) this.events?.drain?.()
    })
  }
}
