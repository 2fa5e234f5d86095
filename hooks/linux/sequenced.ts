// The system calls by which the relay passes messages on: recvmsg(2), send(2), shutdown(2), eventfd(2), poll(2), and socketpair(2) for what the server has.
import type { SequencedCalls } from '../../protocol/sequenced/calls.ts'
import { addressOf, close, declare, libc } from './libc.ts'

const AF_UNIX = 1
const SOCK_STREAM = 1
const SOCK_CLOEXEC = 0x80000
const SOCK_NONBLOCK = 0x800

const poll = libc.func('int poll(void*, ulong, int)')

export const sequencedCalls: SequencedCalls = {
  recv: declare('long recv(int, void*, size_t, int)'),
  recvmsg: declare('long recvmsg(int, void*, int)'),
  send: declare('long send(int, void*, size_t, int)'),
  shutdown: declare('int shutdown(int, int)'),
  setsockopt: declare('int setsockopt(int, int, int, void*, uint)'),
  eventfd: declare('int eventfd(uint, int)'),
  read: declare('long read(int, void*, size_t)'),
  write: declare('long write(int, void*, size_t)'),
  close,
  poll: (list, count, timeoutMs) =>
    new Promise((resolve, reject) =>
      poll.async(list, count, timeoutMs, (error: Error | null, ready: number) =>
        error === null ? resolve(ready) : reject(error),
      ),
    ),
  addressOf,
}

const pairCall = declare<[number, number, number, Buffer]>('int socketpair(int, int, int, void*)')

/** Two ends of a Unix stream that do not block, owned by the caller; or a negative errno. */
export function openPair(): [number, number] | number {
  const pair = Buffer.alloc(8)
  const result = pairCall(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair)
  return result < 0 ? result : [pair.readInt32LE(0), pair.readInt32LE(4)]
}
