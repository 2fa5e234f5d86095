// Which messages a connection accepts at which time of its life, and its exit code.
import assert from 'node:assert/strict'
import { acceptNotification, exitCode, refuseRequest } from '../../../server/rpc/lifecycle.ts'

describe('the life of a connection', () => {
  it('begins with initialize: everything before its answer is refused with -32002', () => {
    assert.equal(refuseRequest('fresh', 'initialize'), undefined)
    assert.equal(refuseRequest('fresh', 'listTargets')?.code, -32002)
    assert.equal(refuseRequest('fresh', 'shutdown')?.code, -32002)
    assert.equal(refuseRequest('initializing', 'listTargets')?.code, -32002)
    assert.equal(refuseRequest('running', 'listTargets'), undefined)
  })

  it('has one initialize: a second is refused with -32600', () => {
    assert.equal(refuseRequest('initializing', 'initialize')?.code, -32600)
    assert.equal(refuseRequest('running', 'initialize')?.code, -32600)
  })

  it('accepts only exit after shutdown', () => {
    assert.equal(refuseRequest('shutdown', 'listTargets')?.code, -32600)
    assert.equal(refuseRequest('shutdown', 'shutdown')?.code, -32600)
    assert.equal(acceptNotification('shutdown', '$/setTrace'), false)
    assert.equal(acceptNotification('shutdown', 'exit'), true)
  })

  it('drops notifications before initialize, except exit', () => {
    assert.equal(acceptNotification('fresh', '$/setTrace'), false)
    assert.equal(acceptNotification('fresh', 'exit'), true)
    assert.equal(acceptNotification('running', '$/setTrace'), true)
  })

  it('ends with exit code 0 only after shutdown', () => {
    assert.equal(exitCode('fresh'), 1)
    assert.equal(exitCode('running'), 1)
    assert.equal(exitCode('shutdown'), 0)
  })
})
