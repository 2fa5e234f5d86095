// The ledger of unanswered calls: what one mapping writes, the guard's mapping reads.
import assert from 'node:assert/strict'
import { closeLedger, createLedger, openLedger } from '../../../hooks/linux/ledger.ts'

describe('the ledger', () => {
  const ids = (ledger: ReturnType<typeof openLedger>) => ledger.ids().map(id => id.readBigUInt64LE(0))
  let descriptor = -1
  beforeEach(() => {
    descriptor = createLedger()
  })
  afterEach(() => void closeLedger(descriptor))

  it('shows a second mapping the current call and the held ones', () => {
    const supervisors = openLedger(descriptor)
    const guards = openLedger(descriptor)
    supervisors.current.writeBigUInt64LE(7n, 0)
    supervisors.add(8n)
    supervisors.add(2n ** 63n + 1n)
    assert.deepEqual(ids(guards), [7n, 8n, 2n ** 63n + 1n])
  })
  it('tells those that are to be refused from those that may be left to the kernel', () => {
    const supervisors = openLedger(descriptor)
    const guards = openLedger(descriptor)
    supervisors.add(8n, { refused: true })
    supervisors.add(9n)
    const refused = () => guards.refusedIds().map(id => id.readBigUInt64LE(0))
    assert.deepEqual([ids(guards), refused()], [[0n, 9n], [8n]])
    supervisors.remove(8n)
    supervisors.add(10n)
    assert.deepEqual([ids(guards).sort(), refused()], [[0n, 10n, 9n], []])
  })
  it('forgets answered calls and uses their places again', () => {
    const ledger = openLedger(descriptor)
    for (let round = 0n; round < 20_000n; round++) {
      assert.ok(ledger.add(round + 1n))
      ledger.remove(round + 1n)
    }
    assert.deepEqual(ids(ledger), [0n])
  })
  it('refuses a call for which it has no place, and no other', () => {
    const ledger = openLedger(descriptor)
    for (let id = 1n; id <= 8192n; id++) assert.ok(ledger.add(id))
    assert.equal(ledger.add(9000n), false)
    ledger.remove(5n)
    assert.equal(ledger.add(9000n), true)
  })
})
