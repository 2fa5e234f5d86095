// What a user is told of connections that were reset: each reason at once, and not a line for each connection.
import assert from 'node:assert/strict'
import sinon from 'sinon'
import { Complaints, tellEveryMs } from '../../../server/forwarding/complaints.ts'

describe('Complaints', () => {
  it('tells a reason at once, then how many more there were, and begins anew after a quiet time', () => {
    const clock = sinon.useFakeTimers()
    try {
      const told: string[] = []
      const complaints = new Complaints(text => told.push(text))
      for (let count = 0; count < 4; count++) complaints.add('db:5432', 'ECONNREFUSED')
      complaints.add('db:5432', 'EXDEV')
      assert.deepEqual(told.splice(0), [
        'Cannot reach db:5432 from the pod: nothing listens there (ECONNREFUSED); a connection was reset',
        'Cannot reach db:5432 from the pod: EXDEV; a connection was reset',
      ])
      clock.tick(tellEveryMs)
      assert.deepEqual(told.splice(0), [
        'Cannot reach db:5432 from the pod: nothing listens there (ECONNREFUSED); 3 connections were reset',
      ])
      clock.tick(tellEveryMs)
      complaints.add('db:5432', 'ECONNREFUSED')
      complaints.add('db:5432', 'ECONNREFUSED')
      complaints.end()
      clock.tick(tellEveryMs)
      assert.equal(told.length, 1)
    } finally {
      clock.restore()
    }
  })
})
