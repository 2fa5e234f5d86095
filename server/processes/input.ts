// What the client writes to a launched command's standard input: in order, bounded while the command does not read, and taken back when cancelled.
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { Failure } from '../../protocol/errors.ts'
import { orAborted } from '../deadline.ts'

/** What may wait for one command. A single write may be larger when nothing else waits: a message has a bound of its own. */
export const maxWaitingBytes = 16 << 20
export const maxWaitingWrites = 500

type Write = { data: Buffer; end: boolean; resolve(): void; reject(failure: Failure): void }

export class CommandInput {
  /** The first one is being written. */
  readonly #writes: Write[] = []
  #waitingBytes = 0

  constructor(
    readonly processId: string,
    /** Null when the command was started without input. */
    readonly pipe: Writable | null,
  ) {}

  /** Resolves when the pipe has taken the data. When `signal` aborts, data whose turn has not come is never written. */
  async write(data: Buffer, { end, signal }: { end: boolean; signal: AbortSignal }): Promise<void> {
    signal.throwIfAborted()
    if (!this.pipe?.writable) throw this.#closed()
    this.#checkRoom(data.length)
    let write: Write | undefined
    const taken = new Promise<void>((resolve, reject) => {
      write = { data, end, resolve, reject }
      this.#add(write)
    })
    try {
      await orAborted(taken, signal)
    } finally {
      // Part of the first one may be in the pipe: a hole in it would be worse than its rest.
      if (signal.aborted && write !== this.#writes[0]) this.#remove(write)
    }
  }

  #checkRoom(bytes: number): void {
    const waiting = this.#writes.length
    if (waiting === 0) return
    if (waiting < maxWaitingWrites && this.#waitingBytes + bytes <= maxWaitingBytes) return
    throw new Failure('stdin-full', { processId: this.processId, waiting, bytes: this.#waitingBytes })
  }

  #add(write: Write): void {
    this.#writes.push(write)
    this.#waitingBytes += write.data.length
    if (this.#writes.length === 1) void this.#writeAll()
  }

  #remove(write: Write | undefined): void {
    const index = write === undefined ? -1 : this.#writes.indexOf(write)
    if (write === undefined || index < 0) return
    this.#writes.splice(index, 1)
    this.#waitingBytes -= write.data.length
  }

  async #writeAll(): Promise<void> {
    for (let write = this.#writes[0]; write !== undefined; write = this.#writes[0]) {
      try {
        await this.#give(write)
        write.resolve()
      } catch (cause) {
        write.reject(this.#closed(cause))
      }
      this.#remove(write)
    }
  }

  async #give({ data, end }: Write): Promise<void> {
    const { pipe } = this
    if (!pipe?.writable) throw new Error('the pipe was closed')
    await new Promise<void>((resolve, reject) => {
      const broken = () => reject(new Error('the pipe was closed'))
      pipe.once('close', broken)
      pipe.write(data, error => {
        pipe.off('close', broken)
        if (error) reject(error)
        else resolve()
      })
    })
    if (!end) return
    pipe.end()
    await finished(pipe, { readable: false }).catch(() => {})
  }

  #closed(cause?: unknown): Failure {
    const { processId } = this
    return new Failure('stdin-closed', { processId }, cause === undefined ? {} : { cause })
  }
}
