// The system calls by which the relay passes messages on: recvmsg(2), send(2), shutdown(2), eventfd(2), poll(2), and socketpair(2) for what the server has.
import { makeSequencedCalls, pollPrototype } from '../../protocol/sequenced/calls.ts'
import { addressOf, declare, libc } from './libc.ts'

const AF_UNIX = 1
const SOCK_STREAM = 1
const SOCK_CLOEXEC = 0x80000
const SOCK_NONBLOCK = 0x800

export const sequencedCalls = makeSequencedCalls({
  declare,
  poll: libc.func(pollPrototype),
  addressOf,
})

const pairCall = declare<[number, number, number, Buffer]>('int socketpair(int, int, int, void*)')

/** Two ends of a Unix stream that do not block, owned by the caller; or a negative errno. */
export function openPair(): [number, number] | number {
  const pair = Buffer.alloc(8)
  const result = pairCall(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair)
  return result < 0 ? result : [pair.readInt32LE(0), pair.readInt32LE(4)]
}
