// How the time that a start may take is shared by its steps.
import assert from 'node:assert/strict'
import sinon from 'sinon'
import { Startup } from '../../../server/sessions/startup.ts'

describe('Startup', () => {
  let clock: sinon.SinonFakeTimers
  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  })
  afterEach(() => clock.restore())
  const never = () => new Promise<string>(() => {})

  it('bounds all steps together, and says what is lacking', async () => {
    const startup = new Startup(60)
    let lack = 'its link could not be made'
    await clock.tickAsync(59_000)
    const late = assert.rejects(
      startup.within(never(), () => lack),
      { kind: 'agent-slow', message: 'Cannot start agent within 60 s: its link could not be made: no route' },
    )
    lack = 'its link could not be made: no route'
    await clock.tickAsync(1_000)
    await late
  })
  it('leaves a step that is done in time alone, and no timer', async () => {
    assert.equal(await new Startup(60).within(Promise.resolve('done'), () => ''), 'done')
    assert.equal(clock.countTimers(), 0)
  })
  it('waits as long as it takes where there is no limit', async () => {
    const waiting = new Startup(undefined).within(Promise.resolve('done'), () => '')
    assert.equal(clock.countTimers(), 0)
    assert.equal(await waiting, 'done')
  })
})
