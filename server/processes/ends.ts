// The server's ends of connections that processes have in progress: sockets of the relay's, asked for before they are needed, because another process
// in the way of every connect costs it a quarter of its time.
import type { Socket } from 'node:net'
import type { Endpoint } from '../../protocol/codec.ts'
import { ReadingSocket } from '../../protocol/link/reading-socket.ts'
import { Turns } from '../turns.ts'

/** What came over the channel of child_process: a handle of Node's, which is no socket yet. */
export type Handle = { close(): void }

/** Bursts of connects find so many ready; they are asked for when half of them have gone, several at once. */
const spares = 16
/** The relay answers one after the other, so that whoever is behind many others would wait for them. */
const mostAsked = 64
/** The two SYNs cross in microseconds; what takes longer has been dropped, and the next try of the kernel is a second away. */
const completeMs = 1_000

export class Ends {
  readonly #ask: () => Promise<Handle>
  readonly #ready: Handle[] = []
  readonly #turns = new Turns(mostAsked)
  #coming = 0
  #closed = false

  /** `ask` rejects when there is none, and at once when there is nobody to ask any more. */
  constructor(ask: () => Promise<Handle>) {
    this.#ask = () => this.#turns.run(ask)
  }

  /** For connects not to wait. One that does not come is asked for at the next occasion. */
  fill(): void {
    const there = this.#ready.length + this.#coming
    if (this.#closed || there > spares / 2) return
    for (let missing = spares - there; missing > 0; missing--) {
      this.#coming += 1
      this.#ask()
        .then(
          handle => this.#keep(handle),
          () => {},
        )
        .finally(() => {
          this.#coming -= 1
        })
    }
  }

  /** The other end of the connection that is in progress from there. Rejects when the process has given it up, or when there is none. */
  async complete(from: Endpoint): Promise<Socket> {
    return connected(this.#ready.shift() ?? (await this.#ask()), from)
  }

  close(): void {
    this.#closed = true
    for (const handle of this.#ready.splice(0)) handle.close()
  }

  #keep(handle: Handle): void {
    if (this.#closed) handle.close()
    else this.#ready.push(handle)
  }
}

/** The socket of that handle, connected there. Rejects with what Node says. */
export function connected(handle: Handle, to: Endpoint): Promise<Socket> {
  const socket = new ReadingSocket({ handle, allowHalfOpen: true, manualStart: true })
  return new Promise((resolve, reject) => {
    const late = () => socket.destroy(Object.assign(new Error('it took too long'), { code: 'ETIMEDOUT' }))
    const timer = setTimeout(late, completeMs)
    const settle = () => {
      clearTimeout(timer)
      socket.off('connect', stands)
      socket.off('error', fails)
    }
    const stands = () => {
      settle()
      socket.setNoDelay(true)
      resolve(socket)
    }
    const fails = (error: Error) => {
      settle()
      reject(error)
    }
    socket.once('connect', stands)
    socket.once('error', fails)
    socket.connect({ host: to.address, port: to.port })
  })
}
