// What is done for a Unix socket whose address is the pod's.
import assert from 'node:assert/strict'
import { decideUnix } from '../../../hooks/syscalls/unix.ts'

const [stream, datagram, seqpacket] = [1, 2, 5]
const usual = { type: stream, isExact: true, isOwnNamespace: true }

describe('decideUnix()', () => {
  it('dials for a stream', () => assert.equal(decideUnix(usual), 'dial'))
  it('leaves what is no Unix socket to the kernel, which refuses the address', () =>
    assert.equal(decideUnix({ ...usual, type: undefined }), 'leave'))
  for (const [what, facts, refuse] of [
    ['datagrams', { type: datagram }, 'only stream sockets reach the pod'],
    ['packets', { type: seqpacket }, 'only stream sockets reach the pod'],
    ['a name that no message can say', { isExact: false }, 'its name is no UTF-8'],
    ['another network', { isOwnNamespace: false }, 'its socket is of another network namespace'],
  ] as const)
    it(`refuses ${what}`, () => assert.deepEqual(decideUnix({ ...usual, ...facts }), { refuse }))
})
