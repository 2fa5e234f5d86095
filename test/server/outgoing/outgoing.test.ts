// What the server makes of a process's connection: a dial in the pod, and its end at the process, or a refusal; never anything else.
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import sinon from 'sinon'
import type { LinkStream } from '../../../protocol/link/link-stream.ts'
import { Outgoing, type OutgoingCall, type OutgoingOptions } from '../../../server/outgoing/outgoing.ts'

const to = { address: '10.0.0.1', port: 5432 }
const supervisor = 77
const from = { address: '127.0.0.1', port: 40_000 }
const local = { address: '10.1.0.2', port: 51_000 }

class FakeSocket extends EventEmitter {
  destroyed = false
  wasReset = false
  resume() {}
  pause() {}
  resetAndDestroy() {
    this.wasReset = true
    this.emit('close')
  }
}

function stage({
  complete = async () => new FakeSocket() as unknown as Socket,
  agent = true,
}: {
  complete?: OutgoingOptions['complete']
  agent?: boolean
} = {}) {
  const said: string[] = []
  const seen: string[] = []
  const resets: string[] = []
  const streams: LinkStream[] = []
  const dials: unknown[] = []
  let id = 0
  const outgoing = new Outgoing({
    open: payload => {
      if (!agent) return undefined
      dials.push(payload)
      const stream = {
        id: ++id,
        reset: (reason: string) => resets.push(reason),
        write() {},
        grant() {},
        end() {},
      } as unknown as LinkStream
      streams.push(stream)
      return stream
    },
    complete,
    view: () => ({
      failed: errno => void seen.push(`failed ${errno}`),
      stands: ({ address }) => void seen.push(`stands ${address}`),
      sent: bytes => void seen.push(`sent ${bytes}`),
      received: bytes => void seen.push(`received ${bytes}`),
      over: reason => void seen.push(`over ${reason}`),
    }),
    viewFlow: () => assert.fail('no datagrams'),
    onNotice: text => said.push(text),
  })
  const call: OutgoingCall = {
    ...{ connection: '7', to, rule: 'no filter keeps it here', from },
    dialled: async address => void said.push(`dialled ${address.address}`),
    established: () => said.push('established'),
    refused: errno => said.push(`refused ${errno}`),
  }
  return { outgoing, call, said, seen, resets, streams, dials }
}
const settled = () => new Promise(resolve => setImmediate(resolve))

describe('Outgoing', () => {
  it('refuses a call for which nothing is dialled, and shows it', () => {
    const { outgoing, call, said, seen, dials } = stage()
    outgoing.refuse(call, 'ENETUNREACH')
    assert.deepEqual([said, seen, dials], [['refused ENETUNREACH'], ['failed ENETUNREACH'], []])
  })

  it('tells the address before the connection stands', async () => {
    const { outgoing, call, said } = stage()
    outgoing.connect(call)
    outgoing.hear({ event: 'dialled', stream: 1, local })
    await settled()
    assert.deepEqual(said, ['dialled 10.1.0.2', 'established'])
  })

  it('dials the path of a Unix socket, and completes it where its supervisor is met', async () => {
    const asked: unknown[] = []
    const { outgoing, call, said, dials } = stage({
      complete: async met => {
        asked.push(met)
        return new FakeSocket() as unknown as Socket
      },
    })
    const unix = { path: '/run/a.sock', seqpacket: false, withinMs: 50, supervisor, meet: async () => {} }
    outgoing.connect({ ...call, unix })
    assert.deepEqual(dials, [{ dial: 'unix', path: '/run/a.sock', withinMs: 50, seqpacket: false }])
    outgoing.hear({ event: 'dialled', stream: 1, local: { address: '', port: 0 } })
    await settled()
    assert.deepEqual([asked, said.at(-1)], [[unix], 'established'])
  })

  it("refuses with the pod's errno", () => {
    const { outgoing, call, said, resets } = stage()
    outgoing.connect(call)
    outgoing.hear({ event: 'dialFailed', stream: 1, errno: 'EHOSTUNREACH' })
    assert.deepEqual([said, resets], [['refused EHOSTUNREACH'], ['the dial failed']])
  })

  it('refuses with ENETUNREACH where there is no agent, or it is lost', () => {
    const without = stage({ agent: false })
    without.outgoing.connect(without.call)
    const { outgoing, call, said } = stage()
    outgoing.connect(call)
    outgoing.lost()
    outgoing.hear({ event: 'dialled', stream: 1, local })
    assert.deepEqual([without.said, said], [['refused ENETUNREACH'], ['refused ENETUNREACH']])
  })

  it('waits 10 s for a link that is down, from the moment it went or from the dial on', () => {
    const clock = sinon.useFakeTimers()
    try {
      const { outgoing, call, said } = stage()
      outgoing.connect(call)
      clock.tick(60_000)
      outgoing.setLink({ isDown: true })
      outgoing.connect({ ...call, connection: '8' })
      clock.tick(5_000)
      // Told of every try.
      outgoing.setLink({ isDown: true })
      clock.tick(4_000)
      assert.deepEqual(said, [])
      clock.tick(1_000)
      assert.deepEqual(said, ['refused ENETUNREACH', 'refused ENETUNREACH'])
    } finally {
      clock.restore()
    }
  })

  it('waits on when the link is back in time', () => {
    const clock = sinon.useFakeTimers()
    try {
      const { outgoing, call, said } = stage()
      outgoing.setLink({ isDown: true })
      outgoing.connect(call)
      clock.tick(9_000)
      outgoing.setLink({ isDown: false })
      clock.tick(60_000)
      assert.deepEqual(said, [])
    } finally {
      clock.restore()
    }
  })

  it('refuses with ENETUNREACH when the agent resets the stream instead of an answer', () => {
    const { outgoing, call, said, streams } = stage()
    outgoing.connect(call)
    streams[0]!.events!.reset('its opening is not understood')
    assert.deepEqual(said, ['refused ENETUNREACH'])
  })

  it('gives the dial up when the process does', async () => {
    const { outgoing, call, said, resets } = stage()
    outgoing.connect(call)
    outgoing.abandoned('7', { isOrphan: false })
    outgoing.hear({ event: 'dialled', stream: 1, local })
    await settled()
    assert.deepEqual([said, resets], [[], ['the process gave it up']])
  })

  it('resets the stream of a connection that the process has given up meanwhile, and says so', async () => {
    const { outgoing, call, said, resets } = stage({
      complete: async () => {
        throw new Error('ECONNREFUSED')
      },
    })
    outgoing.connect(call)
    outgoing.hear({ event: 'dialled', stream: 1, local })
    await settled()
    assert.deepEqual(resets, ['the process gave it up'])
    assert.deepEqual(said.slice(1), [
      'refused ECONNABORTED',
      'A connection to 10.0.0.1 port 5432 was given up: ECONNREFUSED',
    ])
  })

  it('resets what stands when it ends', async () => {
    const socket = new FakeSocket()
    const { outgoing, call } = stage({ complete: async () => socket as unknown as Socket })
    outgoing.connect(call)
    outgoing.hear({ event: 'dialled', stream: 1, local })
    await settled()
    outgoing.close()
    assert.equal(socket.wasReset, true)
  })

  it('lets whoever looks see what passes, and how it ends', async () => {
    const socket = Object.assign(new FakeSocket(), { write: () => true, end() {} })
    const { outgoing, call, seen, streams } = stage({ complete: async () => socket as unknown as Socket })
    outgoing.connect(call)
    outgoing.hear({ event: 'dialled', stream: 1, local })
    await settled()
    socket.emit('data', Buffer.from('asked'))
    streams[0]!.events!.data({ bytes: Buffer.from('answered') })
    streams[0]!.events!.reset('the link is down')
    assert.deepEqual(seen, ['stands 10.1.0.2', 'sent asked', 'received answered', 'over the link is down'])
  })

  it('lets whoever looks see why it did not come about', () => {
    const { outgoing, call, seen } = stage()
    outgoing.connect(call)
    outgoing.hear({ event: 'dialFailed', stream: 1, errno: 'EHOSTUNREACH' })
    outgoing.connect(call)
    outgoing.abandoned(call.connection, { isOrphan: false })
    const without = stage({ agent: false })
    without.outgoing.connect(without.call)
    assert.deepEqual(
      [...seen, ...without.seen],
      ['failed EHOSTUNREACH', 'failed undefined', 'failed ENETUNREACH'],
    )
  })
})
