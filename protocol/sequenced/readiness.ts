// Waits for descriptors that Node has no handle for, with one poll(2) at a time on a thread of its pool, and none while nobody waits.
import type { SequencedCalls } from './calls.ts'

export type Wait = { descriptor: number; events: number; ready: () => void }

const POLLIN = 1
const EFD_NONBLOCK_CLOEXEC = 0x80800
/** The longest stay in poll: process.exit() waits for it. */
const longestPollMs = 500

export class Readiness {
  readonly #calls: SequencedCalls
  readonly #waits = new Set<Wait>()
  readonly #closing = new Set<number>()
  #isPolling = false
  /** An eventfd(2) that ends a poll, as long as this process. */
  #bell = -1

  constructor(calls: SequencedCalls) {
    this.#calls = calls
  }

  /** Calls `ready` once, when one of the events has come, or an error or a hang-up. */
  wait(wait: Wait): void {
    this.#waits.add(wait)
    if (this.#isPolling) this.#ring()
    else void this.#run()
  }

  /** Closes it when no poll looks at it any more, for its number may be another one's then; its waits are over at once. */
  close(descriptor: number): void {
    for (const wait of this.#waits) if (wait.descriptor === descriptor) this.#waits.delete(wait)
    if (!this.#isPolling) {
      this.#calls.close(descriptor)
      return
    }
    this.#closing.add(descriptor)
    this.#ring()
  }

  async #run(): Promise<void> {
    this.#isPolling = true
    while (this.#waits.size > 0) {
      const watched = [...this.#waits]
      const events = await this.#poll(watched)
      this.#closeAll()
      for (const [index, wait] of watched.entries())
        if (events[index] !== 0 && this.#waits.delete(wait)) wait.ready()
    }
    this.#closeAll()
    this.#isPolling = false
  }

  #closeAll(): void {
    for (const descriptor of this.#closing) this.#calls.close(descriptor)
    this.#closing.clear()
  }

  /** The events of each in the same order, 0 for none. */
  async #poll(watched: readonly Wait[]): Promise<number[]> {
    if (this.#bell < 0) this.#bell = this.#calls.eventfd(0, EFD_NONBLOCK_CLOEXEC)
    // struct pollfd: s32 fd, s16 events, s16 revents
    const list = Buffer.alloc(8 * (watched.length + 1))
    for (const [index, { descriptor, events }] of watched.entries()) put(list, index, descriptor, events)
    put(list, watched.length, this.#bell, POLLIN)
    const ready = await this.#calls.poll(list, watched.length + 1, longestPollMs)
    this.#calls.read(this.#bell, Buffer.alloc(8), 8)
    return watched.map((_, index) => (ready > 0 ? list.readInt16LE(8 * index + 6) : 0))
  }

  #ring(): void {
    const one = Buffer.alloc(8)
    one.writeBigUInt64LE(1n)
    this.#calls.write(this.#bell, one, one.length)
  }
}

function put(list: Buffer, index: number, descriptor: number, events: number): void {
  list.writeInt32LE(descriptor, 8 * index)
  list.writeInt16LE(events, 8 * index + 4)
}
