// Aligned columns for terminals.
import assert from 'node:assert/strict'
import { targetTable } from '../../../clients/cli/list.ts'
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

describe('targetTable()', () => {
  it('lists targets, and says so when there is none', () => {
    const text = targetTable([
      {
        target: 'process/1',
        kind: 'process',
        name: 'node',
        ready: true,
        ports: [80, 81],
        command: 'node a.js',
      },
      { target: 'container/x', kind: 'container', name: 'x', ready: false, ports: [], reason: 'paused' },
    ])
    assert.deepEqual(text.split('\n').slice(0, -1), [
      'TARGET       NAME  PORTS  READY   COMMAND',
      'process/1    node  80,81  yes     node a.js',
      'container/x  x     -      paused',
    ])
    assert.match(targetTable([]), /^no target/)
  })
})
