// The marks by which a command's processes are found.
import assert from 'node:assert/strict'
import { carriesMark, markLimit } from '../../../protocol/hook/mark.ts'

const limits = (locks: string) =>
  `Limit                     Soft Limit           Hard Limit           Units     \nMax file size             unlimited            unlimited            bytes     \nMax file locks            ${locks.padEnd(20)} ${locks.padEnd(20)} locks     \n`

describe('the mark of a command', () => {
  it('as a limit is far from what somebody would set, and one for each command', () => {
    const marks = new Set(Array.from({ length: 1000 }, (_, n) => markLimit(`p${n}-0123456789ab`)))
    assert.equal(marks.size, 1000)
    assert.ok([...marks].every(mark => mark >= 2n ** 61n && mark < 2n ** 62n))
  })
  it('is found in the limits alone', () => {
    assert.equal(carriesMark({ limits: limits(String(markLimit('p1'))), environ: '' }, 'p1'), true)
    assert.equal(carriesMark({ limits: limits(String(markLimit('p2'))), environ: '' }, 'p1'), false)
    assert.equal(carriesMark({ limits: limits('unlimited'), environ: '' }, 'p1'), false)
  })
  it('is found in the environment alone, where the limit could not be set', () => {
    assert.equal(carriesMark({ limits: '', environ: 'A=1\0STANDIN_PROCESS=p1\0' }, 'p1'), true)
    assert.equal(
      carriesMark({ limits: '', environ: 'A=STANDIN_PROCESS=p1\0STANDIN_PROCESS=p11\0' }, 'p1'),
      false,
    )
  })
  it('is not found in a process that cannot be looked into', () => {
    assert.equal(carriesMark({ limits: '', environ: '' }, 'p1'), false)
  })
})
