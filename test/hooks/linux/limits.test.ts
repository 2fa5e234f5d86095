// The soft limit of open files in /proc/PID/limits.
import assert from 'node:assert/strict'
import { softLimit } from '../../../hooks/linux/limits.ts'

describe('softLimit()', () => {
  it('reads the soft limit of open files', () => {
    const limits =
      'Limit                     Soft Limit           Hard Limit           Units     \nMax processes             1                    2                    processes \nMax open files            1024                 524288               files     \n'
    assert.equal(softLimit(limits), 1024n)
  })
  it('knows none in a file that could not be read', () => assert.equal(softLimit(''), undefined))
})
