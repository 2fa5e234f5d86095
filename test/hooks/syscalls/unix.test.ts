// What is done for a Unix socket whose address is the pod's.
import assert from 'node:assert/strict'
import { decideUnix } from '../../../hooks/syscalls/unix.ts'

const [stream, datagram, seqpacket] = [1, 2, 5]
const usual = { type: stream, isExact: true, isOwnNamespace: true }

describe('decideUnix()', () => {
  for (const type of [stream, seqpacket])
    it(`dials for type ${type}`, () => assert.equal(decideUnix({ ...usual, type }), 'dial'))
  it('leaves what is no Unix socket to the kernel, which refuses the address', () =>
    assert.equal(decideUnix({ ...usual, type: undefined }), 'leave'))
  for (const [what, facts, refuse] of [
    ['datagrams', { type: datagram }, 'datagram sockets do not reach the pod'],
    ['a name that no message can say', { isExact: false }, 'its name is no UTF-8'],
    ['another network', { isOwnNamespace: false }, 'its socket is of another network namespace'],
  ] as const)
    it(`refuses ${what}`, () => assert.deepEqual(decideUnix({ ...usual, ...facts }), { refuse }))
})
