// The system calls by which the agent passes messages on: recvmsg(2), send(2), shutdown(2), eventfd(2) and poll(2).
import koffi from 'koffi'
import type { SequencedCalls } from '../../protocol/sequenced/calls.ts'

const libc = koffi.load(null)
const poll = libc.func('int poll(void*, ulong, int)')

function declare<A extends unknown[]>(prototype: string): (...args: A) => number {
  const call = libc.func(prototype)
  return (...args) => {
    const result = Number(call(...args))
    return result < 0 ? -koffi.errno() : result
  }
}

export const sequencedCalls: SequencedCalls = {
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
      poll.async(list, count, timeoutMs, (error: Error | null, ready: number) =>
        error === null ? resolve(ready) : reject(error),
      ),
    ),
  addressOf: bytes => koffi.address(bytes),
}
