// A socket for joining with a stream of the link: what it reads can be in memory that is used again once the link has taken it.
import { Socket, type SocketConstructorOpts, type TcpNetConnectOpts } from 'node:net'
import { longestCopyBytes, ReadMemory } from './read-memory.ts'

/** Where the kernel puts what any of them reads; it is copied from there in the same turn. (On Windows too: libuv asks there by reads of no bytes.) */
const shared = Buffer.allocUnsafeSlow(longestCopyBytes)

/** `handle` is one of Node's own, as other processes pass it. */
type Options = SocketConstructorOpts &
  Partial<TcpNetConnectOpts> & { handle?: object; manualStart?: boolean; pauseOnCreate?: boolean }

export class ReadingSocket extends Socket {
  #memory: ReadMemory | undefined

  constructor(options: Options) {
    super({
      ...options,
      onread: {
        buffer: shared,
        callback: (bytes: number) => this.#read(shared.subarray(0, bytes)),
      },
    } as SocketConstructorOpts)
  }

  /** From now on what it gives to its reader is good until it is let go, and no longer. */
  lend(): void {
    this.#memory ??= new ReadMemory()
  }

  /** Of all that its reader was given only the last `kept` bytes are still needed. */
  letGo(kept: number): void {
    this.#memory?.letGo(kept + this.readableLength)
  }

  /** As Node does with a buffer of its own: false stops reading until the reader wants more. */
  #read(bytes: Buffer): boolean {
    return this.push(this.#memory?.copy(bytes) ?? Buffer.from(bytes))
  }
}

/** The connection of a socket that was accepted and of which nothing was read (`pauseOnConnect`); that one is over. It reads when it is resumed. */
export function readingSocketOf(accepted: Socket): ReadingSocket {
  const owner = accepted as unknown as { _handle: object | null }
  const handle = owner._handle
  owner._handle = null
  accepted.destroy()
  const own = { allowHalfOpen: true, pauseOnCreate: true }
  // One that has ended has no handle any more.
  return handle === null ? new ReadingSocket(own).destroy() : new ReadingSocket({ ...own, handle })
}
