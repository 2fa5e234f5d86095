// How lost copies are counted and told.
import assert from 'node:assert/strict'
import sinon from 'sinon'
import { Losses, tellEveryMs } from '../../../server/sessions/losses.ts'

function stage() {
  const shown: string[] = []
  const logged: string[] = []
  const losses = new Losses({
    show: (level, text) => shown.push(`${level}: ${text}`),
    log: (level, text) => logged.push(`${level}: ${text}`),
  })
  const agent = (ringDrops: number, unopened: number) =>
    losses.agent({ packets: 0, bytes: 0, connections: 0, gaps: 9, slow: 9, ringDrops, unopened })
  return { losses, shown, logged, agent }
}

const lost = 'warning: Lost on the way to the process'

describe('Losses', () => {
  let clock: sinon.SinonFakeTimers
  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  })
  afterEach(() => clock.restore())

  it('tells the first copy at once, then totals at most every 5 s, and only when more was lost', () => {
    const { losses, shown } = stage()
    losses.copy('the reader is too slow')
    assert.deepEqual(shown, [`${lost} so far: 1 connection (the reader is too slow)`])
    for (let count = 0; count < 100; count++) losses.copy('the reader is too slow')
    losses.copy('a gap in the capture')
    clock.tick(tellEveryMs - 1)
    assert.equal(shown.length, 1)
    clock.tick(1)
    assert.deepEqual(shown.slice(1), [
      `${lost} so far: 101 connections (the reader is too slow), 1 connection (a gap in the capture)`,
    ])
    clock.tick(10 * tellEveryMs)
    assert.equal(shown.length, 2)
    losses.copy('a gap in the capture')
    assert.match(shown[2] ?? '', /2 connections \(a gap in the capture\)$/)
  })

  it('tells all in the end, once, and leaves no timer', () => {
    const { losses, shown } = stage()
    losses.copy('a gap in the capture')
    losses.copy('a gap in the capture')
    losses.end()
    losses.end()
    losses.copy('a gap in the capture')
    assert.deepEqual(shown.slice(1), [`${lost} in all: 2 connections (a gap in the capture)`])
    assert.equal(clock.countTimers(), 0)
  })

  it('says nothing when nothing was lost', () => {
    const { losses, shown, logged, agent } = stage()
    agent(0, 0)
    losses.end()
    assert.deepEqual([shown, logged], [[], []])
  })

  it('tells what the agent lost before it became a copy, of all agents together', () => {
    const { losses, shown, agent } = stage()
    agent(120, 0)
    assert.deepEqual(shown, [`${lost} so far: 120 packets (the capture ring was full)`])
    agent(130, 1)
    losses.agentAgain()
    agent(5, 0)
    losses.end()
    assert.equal(
      shown.at(-1),
      `${lost} in all: 135 packets (the capture ring was full), 1 connection (the agent or the link could not keep up)`,
    )
  })

  it('only logs what no process wanted, with counts too', () => {
    const { losses, shown, logged } = stage()
    for (const reason of ['nothing listens on port 80', 'the process closed the connection']) {
      losses.copy(reason)
      losses.copy(reason)
    }
    losses.copy('its port is no longer mirrored')
    losses.end()
    assert.deepEqual(shown, [])
    assert.equal(
      logged.at(-1),
      'info: Not delivered to the process in all: 2 connections (nothing listens on port 80), 2 connections (the process closed the connection), 1 connection (its port is no longer mirrored)',
    )
  })
})
