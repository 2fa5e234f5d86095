// Aligned columns for terminals.
import assert from 'node:assert/strict'
import { cut, printable, table } from '../../../clients/cli/table.ts'

describe('table()', () => {
  it('aligns columns and leaves no spaces at the end', () => {
    const text = table([
      ['A', 'LONG', 'C'],
      ['aaa', 'b', ''],
    ])
    assert.equal(text, 'A    LONG  C\naaa  b\n')
  })

  it('cuts lines at the width of the terminal', () => {
    assert.equal(table([['abcdefgh']], 5), 'abcd…\n')
  })
})

describe('cut()', () => {
  it('leaves alone what fits, and everything when the width is not known', () => {
    assert.equal(cut('abc', 3), 'abc')
    assert.equal(cut('abc'), 'abc')
  })
})

describe('printable()', () => {
  it('takes the power over the terminal from text of strangers', () => {
    assert.equal(printable('a\x1b[2Jb\r\n\x9bc'), 'a?[2Jb???c')
  })
})
