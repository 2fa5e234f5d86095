// The system calls by which the agent passes messages on: recvmsg(2), send(2), shutdown(2), eventfd(2) and poll(2).
import koffi from 'koffi'
import { makeSequencedCalls, pollPrototype } from '../../protocol/sequenced/calls.ts'

const libc = koffi.load(null)

function declare<A extends unknown[]>(prototype: string): (...args: A) => number {
  const call = libc.func(prototype)
  return (...args) => {
    const result = Number(call(...args))
    return result < 0 ? -koffi.errno() : result
  }
}

export const sequencedCalls = makeSequencedCalls({
  declare,
  poll: libc.func(pollPrototype),
  addressOf: bytes => koffi.address(bytes),
})
