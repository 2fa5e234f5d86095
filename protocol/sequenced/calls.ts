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
