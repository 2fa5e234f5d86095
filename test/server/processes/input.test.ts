// How much input waits for a command that does not read, and how it is ended.
import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { Failure } from '../../../protocol/errors.ts'
import { CommandInput, maxWaitingBytes, maxWaitingWrites } from '../../../server/processes/input.ts'

const mebibyte = Buffer.alloc(1 << 20)

/** A pipe that takes one write each time it is told to. */
function stage() {
  const taken: string[] = []
  const takers: (() => void)[] = []
  const pipe = new Writable({
    write(chunk, _, done) {
      takers.push(() => {
        taken.push(String(chunk))
        done()
      })
    },
  })
  const input = new CommandInput('p1', pipe)
  const settle = () => new Promise(resolve => setImmediate(resolve))
  return {
    input,
    pipe,
    taken,
    write(data: string | Buffer, { end = false, signal = new AbortController().signal } = {}) {
      const written = input.write(Buffer.from(data), { end, signal })
      written.catch(() => {})
      return written
    },
    async take() {
      takers.shift()?.()
      await settle()
    },
  }
}

const kind = (expected: string) => (thrown: unknown) => thrown instanceof Failure && thrown.kind === expected

describe('CommandInput', () => {
  it('writes in order, and answers each write when the pipe has taken it', async () => {
    const { write, take, taken } = stage()
    const answered: string[] = []
    for (const data of ['a', 'b', 'c']) void write(data).then(() => answered.push(data))
    await take()
    assert.deepEqual(answered, ['a'])
    await take()
    await take()
    assert.deepEqual(
      [taken, answered],
      [
        ['a', 'b', 'c'],
        ['a', 'b', 'c'],
      ],
    )
  })

  it('closes the pipe after the write that ends it, and refuses what comes after', async () => {
    const { write, take, pipe } = stage()
    const last = write('a', { end: true })
    const late = write('b')
    await take()
    await last
    assert.equal(pipe.writableFinished, true)
    await assert.rejects(late, kind('stdin-closed'))
    await assert.rejects(write('c'), kind('stdin-closed'))
  })

  it('refuses what is too much while the command does not read, and takes more when it has', async () => {
    const { write, take } = stage()
    const most = maxWaitingBytes / mebibyte.length
    for (let count = 0; count < most; count++) void write(mebibyte)
    await assert.rejects(write('x'), (thrown: unknown) => {
      assert.ok(thrown instanceof Failure && thrown.kind === 'stdin-full' && thrown.data.retryable)
      assert.match(
        thrown.message,
        /^Cannot write to process "p1": 16 writes with 16777216 bytes wait until it reads/,
      )
      return true
    })
    await take()
    void write('x')
    await take()
  })

  it('refuses more small writes than a client needs', async () => {
    const { write } = stage()
    for (let count = 0; count < maxWaitingWrites; count++) void write('x')
    await assert.rejects(write('x'), kind('stdin-full'))
  })

  it('takes a write larger than the bound when nothing else waits', async () => {
    const { write, take } = stage()
    const large = write(Buffer.alloc(maxWaitingBytes + 1))
    await assert.rejects(write('x'), kind('stdin-full'))
    await take()
    await large
  })

  it('never writes what was cancelled before its turn, and makes room for others', async () => {
    const { write, take, taken } = stage()
    void write('a')
    const cancelled = Array.from({ length: maxWaitingWrites - 1 }, () => {
      const cancelling = new AbortController()
      return { cancelling, written: write('x', { signal: cancelling.signal }) }
    })
    for (const { cancelling, written } of cancelled) {
      cancelling.abort(new Failure('cancelled', { what: 'writeProcess' }))
      await assert.rejects(written, kind('cancelled'))
    }
    void write('b')
    await take()
    await take()
    assert.deepEqual(taken, ['a', 'b'])
  })

  it('lets a cancelled write that has begun go on, since a hole in it would be worse', async () => {
    const { write, take, taken } = stage()
    const cancelling = new AbortController()
    const begun = write('a', { signal: cancelling.signal })
    void write('b')
    cancelling.abort(new Failure('cancelled', { what: 'writeProcess' }))
    await assert.rejects(begun, kind('cancelled'))
    await take()
    await take()
    assert.deepEqual(taken, ['a', 'b'])
  })

  it('answers everything that waits when the pipe breaks', async () => {
    const { write, pipe } = stage()
    pipe.on('error', () => {})
    const waiting = [write('a'), write('b'), write('c', { end: true })]
    pipe.destroy(new Error('EPIPE'))
    for (const one of waiting) await assert.rejects(one, kind('stdin-closed'))
  })

  it('refuses writes to a command without input', async () => {
    const { signal } = new AbortController()
    const write = new CommandInput('p1', null).write(Buffer.from('x'), { end: false, signal })
    await assert.rejects(write, kind('stdin-closed'))
  })
})
