// Addresses of Unix sockets as bytes: which name they have, and how getpeername shows them.
import assert from 'node:assert/strict'
import { nameFor, readUnixName, shownUnix } from '../../hooks/unix-address.ts'

const address = (rest: string | Buffer) => Buffer.concat([Buffer.from([1, 0]), Buffer.from(rest)])

describe('readUnixName()', () => {
  for (const [what, bytes, expected] of [
    ['a path with its NUL', address('/run/a\0'), { name: '/run/a', isExact: true }],
    ['a path without', address('/run/a'), { name: '/run/a', isExact: true }],
    ['a path in a larger struct', address(`/run/a${'\0'.repeat(102)}`), { name: '/run/a', isExact: true }],
    ['an abstract name', address('\0app'), { name: '@app', isExact: true }],
    ['an abstract name with NULs', address('\0a\0b\0'), { name: '@a\0b\0', isExact: true }],
    ['a path that is no UTF-8', address(Buffer.from([0x2f, 0xff])), { name: '/\ufffd', isExact: false }],
    ['no name', address(''), undefined],
    ['what is too long', address('x'.repeat(109)), undefined],
    ['another family', Buffer.from([2, 0, 0, 80, 127, 0, 0, 1]), undefined],
    ['nothing', Buffer.alloc(0), undefined],
  ] as const)
    it(`reads ${what}`, () => assert.deepEqual(readUnixName(bytes), expected))
})

describe('nameFor()', () => {
  it('takes a relative path from the folder of the thread, and leaves what begins with @ but is a path alone', () => {
    assert.equal(nameFor(process.pid, address('a/../b.sock'))?.name, `${process.cwd()}/b.sock`)
    assert.equal(nameFor(process.pid, address('\0b'))?.name, '@b')
    assert.equal(nameFor(process.pid, address('@b'))?.name, `${process.cwd()}/@b`)
    assert.equal(nameFor(0, address('b.sock'))?.name, 'b.sock')
  })
})

describe('shownUnix()', () => {
  it('ends a path with one NUL, and leaves an abstract name as it is', () => {
    assert.deepEqual(shownUnix(address('/a')), address('/a\0'))
    assert.deepEqual(shownUnix(address('/a\0\0\0')), address('/a\0'))
    assert.deepEqual(shownUnix(address('\0a\0')), address('\0a\0'))
  })
})
