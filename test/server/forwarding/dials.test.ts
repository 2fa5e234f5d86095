// Connections that a forward asks the pod to make: told once how they came out, and never left waiting for a link that is away.
import assert from 'node:assert/strict'
import sinon, { type SinonFakeTimers } from 'sinon'
import type { Dial } from '../../../protocol/agent/control.ts'
import type { LinkStream } from '../../../protocol/link/link-stream.ts'
import { Dials, linkPatienceMs } from '../../../server/forwarding/dials.ts'

const local = { address: '10.1.0.2', port: 51_000 }
const payload: Dial = { dial: 'host', host: 'db', port: 5432 }

describe('Dials', () => {
  let clock: SinonFakeTimers
  beforeEach(() => {
    clock = sinon.useFakeTimers()
  })
  afterEach(() => clock.restore())

  function stage({ agent = true } = {}) {
    const said: string[] = []
    const resets: string[] = []
    const streams: LinkStream[] = []
    const state = { agent }
    const dials = new Dials(given => {
      assert.deepEqual(given, payload)
      if (!state.agent) return undefined
      const stream = { id: streams.length + 1, reset: (reason: string) => resets.push(reason) }
      streams.push(stream as unknown as LinkStream)
      return streams.at(-1)
    })
    const dial = () =>
      dials.dial(payload, {
        dialled: stream => said.push(`dialled ${stream.id}`),
        failed: errno => said.push(errno),
      })
    return { dials, dial, said, resets, streams, state }
  }

  it('tells the stream of the connection that stands, and the errno of one that does not', () => {
    const { dials, dial, said, resets } = stage()
    dial()
    dial()
    dials.hear({ event: 'dialFailed', stream: 2, errno: 'ENOTFOUND' })
    dials.hear({ event: 'dialled', stream: 1, local })
    assert.deepEqual([said, resets], [['ENOTFOUND', 'dialled 1'], ['the dial failed']])
  })

  it("leaves another's stream alone, and does not hear the same twice", () => {
    const { dials, dial, said } = stage()
    dial()
    dials.hear({ event: 'dialled', stream: 7, local })
    dials.hear({ event: 'dialled', stream: 1, local })
    dials.hear({ event: 'dialFailed', stream: 1, errno: 'EIO' })
    assert.deepEqual(said, ['dialled 1'])
  })

  it('lets an agent that is asked take its time', () => {
    const { dials, dial, said } = stage()
    dials.setLink({ isDown: false })
    dial()
    clock.tick(10 * linkPatienceMs)
    assert.deepEqual(said, [])
  })

  it('waits 10 s for a link that is down, from the moment it went or from the dial on', () => {
    const { dials, dial, said, resets } = stage()
    dial()
    clock.tick(60_000)
    dials.setLink({ isDown: true })
    clock.tick(5_000)
    dial()
    // Told of every try.
    dials.setLink({ isDown: true })
    clock.tick(5_000)
    assert.deepEqual(said, ['ENETUNREACH'])
    clock.tick(5_000)
    assert.deepEqual(
      [said, resets],
      [
        ['ENETUNREACH', 'ENETUNREACH'],
        ['the link is down', 'the link is down'],
      ],
    )
  })

  it('waits on when the link is back in time', () => {
    const { dials, dial, said } = stage()
    dials.setLink({ isDown: true })
    dial()
    clock.tick(9_000)
    dials.setLink({ isDown: false })
    clock.tick(60_000)
    assert.deepEqual(said, [])
  })

  it('asks the next agent when the one that was asked is gone, or none was there', () => {
    const { dials, dial, said, streams, state } = stage()
    dial()
    streams[0]!.events!.reset('the agent ended')
    state.agent = false
    dial()
    clock.tick(9_000)
    state.agent = true
    dials.renewed()
    clock.tick(60_000)
    assert.equal(streams.length, 3)
    dials.hear({ event: 'dialled', stream: 2, local })
    dials.hear({ event: 'dialled', stream: 3, local })
    assert.deepEqual(said, ['dialled 2', 'dialled 3'])
  })

  it('gives up after 10 s without an agent', () => {
    const { dial, said } = stage({ agent: false })
    dial()
    clock.tick(linkPatienceMs)
    assert.deepEqual(said, ['ENETUNREACH'])
  })

  it('tells nothing of what was given up, nor after its end', () => {
    const { dials, dial, said, resets } = stage()
    const abandon = dial()
    dial()
    dials.setLink({ isDown: true })
    abandon()
    dials.close()
    clock.tick(60_000)
    dials.hear({ event: 'dialled', stream: 1, local })
    abandon()
    assert.deepEqual([said, resets], [[], ['its near end gave it up', 'the session ended']])
  })
})
