// A container's log cut into lines, however its chunks fall.
import assert from 'node:assert/strict'
import { LogLines } from '../../../../server/kubernetes/channel/log-lines.ts'

describe('LogLines', () => {
  it('gives each line once, however the chunks cut it', () => {
    const log = Buffer.from('one\n\ntwö\nlast')
    for (let at = 0; at <= log.length; at += 1) {
      const lines = new LogLines()
      const all = [...lines.read(log.subarray(0, at)), ...lines.read(log.subarray(at)), ...lines.end()]
      assert.deepEqual(all, ['one', '', 'twö', 'last'])
    }
  })

  it('gives a line that is too long in pieces', () => {
    const lines = new LogLines()
    const all = [...lines.read(Buffer.from(`${'x'.repeat(150_000)}\nend\n`)), ...lines.end()]
    assert.deepEqual(
      all.map(({ length }) => length),
      [65_536, 65_536, 18_928, 3],
    )
  })
})
