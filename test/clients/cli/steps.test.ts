// What a step that waits shows while it waits.
import assert from 'node:assert/strict'
import sinon from 'sinon'
import { waitingText } from '../../../clients/cli/steps.ts'

describe('waitingText()', () => {
  let clock: sinon.SinonFakeTimers
  beforeEach(() => {
    clock = sinon.useFakeTimers()
  })
  afterEach(() => clock.restore())

  it('counts the seconds of a step on between what the server tells, and begins again with the next step', () => {
    let text = ''
    const waits = waitingText(shown => {
      text = shown
    })
    const show = (step: string, message: string) => waits.show({ event: 'step', step, message })
    show('pull', 'pulling image node:22')
    assert.equal(text, 'pulling image node:22')
    clock.tick(4_000)
    assert.equal(text, 'pulling image node:22, 4 s')
    show('pull', 'the registry is slow, 5 s')
    assert.equal(text, 'the registry is slow, 4 s')
    show('start', 'starting its container')
    assert.equal(text, 'starting its container')
    waits.end()
    clock.tick(9_000)
    assert.equal(text, 'starting its container', 'nothing is drawn after the end')
  })
})
