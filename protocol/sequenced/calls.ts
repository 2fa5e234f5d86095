// The system calls by which messages are passed on, lent by the room that may make them: each gives its result, or the errno as a negative number.

export type SequencedCalls = {
  recv(socket: number, bytes: Buffer, length: number, flags: number): number
  recvmsg(socket: number, header: Buffer, flags: number): number
  send(socket: number, bytes: Buffer, length: number, flags: number): number
  shutdown(socket: number, how: number): number
  setsockopt(socket: number, level: number, which: number, value: Buffer, length: number): number
  eventfd(count: number, flags: number): number
  read(descriptor: number, bytes: Buffer, length: number): number
  write(descriptor: number, bytes: Buffer, length: number): number
  close(descriptor: number): number
  /** On a thread of Node's pool. */
  poll(list: Buffer, count: number, timeoutMs: number): Promise<number>
  /** Where bytes lie; they must stay referenced while the kernel uses them. */
  addressOf(bytes: Buffer): bigint
}

/** What a room's native library offers: a C function by its prototype, whose failure is the negative errno, and poll(2) as koffi calls it on a thread. */
type NativeLibrary = {
  declare<A extends unknown[]>(prototype: string): (...args: A) => number
  readonly poll: {
    async(
      list: Buffer,
      count: number,
      timeoutMs: number,
      done: (error: Error | null, ready: number) => void,
    ): void
  }
  addressOf(bytes: Buffer): bigint
}
export const pollPrototype = 'int poll(void*, ulong, int)'

export const makeSequencedCalls = ({ declare, poll, addressOf }: NativeLibrary): SequencedCalls => ({
  recv: declare('long recv(int, void*, size_t, int)'),
  recvmsg: declare('long recvmsg(int, void*, int)'),
  send: declare('long send(int, void*, size_t, int)'),
  shutdown: declare('int shutdown(int, int)'),
  setsockopt: declare('int setsockopt(int, int, int, void*, uint)'),
  eventfd: declare('int eventfd(uint, int)'),
  read: declare('long read(int, void*, size_t)'),
  write: declare('long write(int, void*, size_t)'),
  close: declare('int close(int)'),
  poll: (list, count, timeoutMs) =>
    new Promise((resolve, reject) =>
      poll.async(list, count, timeoutMs, (error, ready) => (error === null ? resolve(ready) : reject(error))),
    ),
  addressOf,
})
