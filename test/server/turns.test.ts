// So many at a time, in order, whatever becomes of each.
import assert from 'node:assert/strict'
import { Turns } from '../../server/turns.ts'

describe('Turns', () => {
  it('begins so many, and another when one has ended, in order and after a failure too', async () => {
    const turns = new Turns(2)
    const begun: number[] = []
    const ends: ((failed: boolean) => void)[] = []
    const all = [0, 1, 2, 3].map(number =>
      turns
        .run(
          () =>
            new Promise<number>((resolve, reject) => {
              begun.push(number)
              ends[number] = failed => (failed ? reject(new Error('failed')) : resolve(number))
            }),
        )
        .catch(() => 'failed'),
    )
    assert.deepEqual(begun, [0, 1])
    ends[1]!(true)
    assert.equal(await all[1], 'failed')
    assert.deepEqual(begun, [0, 1, 2])
    ends[2]!(false)
    await all[2]
    ends[0]!(false)
    ends[3]!(false)
    assert.deepEqual(await Promise.all(all), [0, 'failed', 2, 3])
    assert.equal(await turns.run(async () => 'again'), 'again')
  })
})
