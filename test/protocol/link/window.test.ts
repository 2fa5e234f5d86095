// How far windows of streams grow: with readers that keep up, within a budget, and not for copies of traffic.
import assert from 'node:assert/strict'
import sinon from 'sinon'
import { initialCreditBytes } from '../../../protocol/link/frame.ts'
import {
  budgetBytes,
  fastMs,
  longestWindowBytes,
  Window,
  WindowBudget,
} from '../../../protocol/link/window.ts'
import { bytesOf, endpointPair, join, listener, until } from './carriers.ts'

/** Windows' worths that are read in turn, each in so many milliseconds. */
function readOften(window: Window, times: number, eachMs: number): void {
  for (let n = 1; n <= times; n += 1) window.read(window.bytes, n * eachMs)
}

describe('a window', () => {
  let clock: sinon.SinonFakeTimers
  beforeEach(() => {
    clock = sinon.useFakeTimers({ now: 0, toFake: ['performance'] })
  })
  afterEach(() => clock.restore())

  const windowOf = (budget: WindowBudget | undefined): Window => {
    const window = new Window(budget)
    window.arrived()
    return window
  }

  it('doubles each time that it is read quickly, up to 4 MiB', () => {
    const window = windowOf(new WindowBudget())
    assert.equal(window.read(initialCreditBytes - 1, fastMs / 2), 0)
    assert.equal(window.read(1, fastMs), initialCreditBytes)
    assert.equal(window.bytes, 2 * initialCreditBytes)
    readOften(window, 10, 1)
    assert.equal(window.bytes, longestWindowBytes)
  })

  it('stays when its reader is slow, and when nobody gave it a budget', () => {
    const slow = windowOf(new WindowBudget())
    readOften(slow, 10, fastMs + 1)
    assert.equal(slow.bytes, initialCreditBytes)
    const without = windowOf(undefined)
    readOften(without, 10, 1)
    assert.equal(without.bytes, initialCreditBytes)
  })

  it('grows no more when all of them have taken the budget, until one of them ends', () => {
    const budget = new WindowBudget()
    const windows = Array.from({ length: 20 }, () => windowOf(budget))
    for (const window of windows) readOften(window, 10, 1)
    const grown = windows.reduce((sum, { bytes }) => sum + bytes - initialCreditBytes, 0)
    assert.ok(grown <= budgetBytes && grown > budgetBytes - longestWindowBytes, `${grown} bytes`)
    const last = windows.at(-1)!
    assert.equal(last.bytes, initialCreditBytes)
    windows[0]!.end()
    readOften(last, 10, 1)
    assert.equal(last.bytes, longestWindowBytes)
  })
})

describe('a stream both ways', () => {
  it('has more on its way when its reader kept up, and a copy of traffic has not', async () => {
    for (const oneWay of [false, true]) {
      const { streams, onOpen } = listener()
      const ends = endpointPair({ onOpen })
      join(ends)
      const sender = ends.agent.open({}, { oneWay })
      sender.write({ bytes: Buffer.alloc(8 << 20) })
      await until('all bytes', () => bytesOf(streams[0]?.data ?? []) === 8 << 20)
      const { stream } = streams[0]!
      let arrived = 0
      stream.events = {
        data: ({ bytes }) => {
          arrived += bytes.length
        },
        end() {},
        reset() {},
      }
      sender.write({ bytes: Buffer.alloc(8 << 20) })
      let before = -1
      await until('a standstill', () => {
        const same = sender.queuedBytes === before
        before = sender.queuedBytes
        return same
      })
      const [least, most] = oneWay ? [1, initialCreditBytes] : [longestWindowBytes / 2, longestWindowBytes]
      assert.ok(arrived >= least && arrived <= most, `${arrived} bytes are on their way`)
      ends.agent.close('done')
      ends.server.close('done')
    }
  })
})
