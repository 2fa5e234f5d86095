// When a server takes the program that started it for gone.
import assert from 'node:assert/strict'
import sinon from 'sinon'
import { watchProcess } from '../../../server/rpc/parent.ts'

const pid = 4711

describe('watchProcess()', () => {
  let clock: sinon.SinonFakeTimers
  let kill: sinon.SinonStub
  const answers = (code: string | undefined) =>
    code === undefined
      ? kill.returns(true)
      : kill.throws(Object.assign(new Error(code), { code, syscall: 'kill' }))
  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    kill = sinon.stub(process, 'kill')
  })
  afterEach(() => {
    sinon.restore()
    clock.restore()
  })

  it('calls back once when the process is gone, and stops looking', () => {
    const gone = sinon.spy()
    answers(undefined)
    watchProcess(pid, gone)
    clock.tick(10_000)
    assert.equal(gone.callCount, 0)
    answers('ESRCH')
    clock.tick(10_000)
    assert.equal(gone.callCount, 1)
    assert.equal(clock.countTimers(), 0)
    assert.ok(kill.alwaysCalledWithExactly(pid, 0))
  })

  it('takes a process of another user, about which it may not ask, for alive', () => {
    const gone = sinon.spy()
    answers('EPERM')
    const stop = watchProcess(pid, gone)
    clock.tick(600_000)
    assert.equal(gone.callCount, 0)
    stop()
    assert.equal(clock.countTimers(), 0)
  })
})
