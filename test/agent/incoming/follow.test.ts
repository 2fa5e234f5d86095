// How connections are followed: from the first SYN, or a request line, to the last FIN; every way in which TCP repeats, mixes up and breaks off.
import assert from 'node:assert/strict'
import { tooSlow } from '../../../agent/incoming/follow.ts'
import { Capturing, Conversation, ends } from './conversation.ts'
import { ACK, FIN, RST, SYN } from './packets.ts'

const request = 'GET / HTTP/1.1\r\nHost: shop\r\n\r\n'

function start(options = {}, subscription = {}, isns = { caller: 1000, pod: 5000 }) {
  const capturing = new Capturing(options, subscription)
  return { capturing, talk: new Conversation(capturing, isns).handshake() }
}

/** text and end of both streams */
function outcome(capturing: Capturing) {
  const { received, sent } = capturing
  return [received?.text, received?.end, sent?.text, sent?.end]
}

describe('Follower', () => {
  it('gives both directions in order from the SYN to both FINs', () => {
    const { capturing, talk } = start()
    talk
      .caller({ text: 'ask' })
      .pod({ text: 'answer' })
      .caller({ flags: ACK | FIN })
      .pod({ flags: ACK | FIN })
    assert.deepEqual(outcome(capturing), ['ask', 'end', 'answer', 'end'])
    const facts = { connection: '1', ...ends, at: 1.5, joined: false }
    assert.deepEqual(capturing.received?.opened, { ...facts, direction: 'received' })
    assert.deepEqual(capturing.sent?.opened, { ...facts, direction: 'sent' })
  })

  it('opens nothing for a SYN that is refused or never answered', () => {
    const capturing = new Capturing()
    const talk = new Conversation(capturing).caller({ flags: SYN, at: -1, ack: 0 })
    talk.pod({ flags: RST | ACK, at: -5001 })
    assert.deepEqual(capturing.sink.streams, [])
  })

  it('puts reordered segments in order', () => {
    const { capturing, talk } = start()
    talk.caller({ at: 6, text: 'ghi' }).caller({ at: 3, text: 'def' }).caller({ at: 9, text: 'jkl' })
    assert.equal(capturing.received?.text, '')
    talk.caller({ at: 0, text: 'abc' })
    assert.equal(capturing.received?.text, 'abcdefghijkl')
  })

  it('drops retransmissions, whole and partly new', () => {
    const { capturing, talk } = start()
    talk.caller({ text: 'abcdef' }).caller({ at: 0, text: 'abc' }).caller({ at: 0, text: 'abcdef' })
    talk.caller({ at: 4, text: 'efgh' }).caller({ at: 0, text: 'abcdefghij' })
    assert.equal(capturing.received?.text, 'abcdefghij')
  })

  it('keeps of overlapping early segments what came first', () => {
    const { capturing, talk } = start()
    talk.caller({ at: 4, text: 'EFGH' }).caller({ at: 2, text: 'xxxx' }).caller({ at: 6, text: 'yyyyyy' })
    talk.caller({ at: 0, text: 'ab' })
    assert.equal(capturing.received?.text, 'abxxEFGHyyyy')
  })

  it('keeps of overlapping early segments what came last, when told so', () => {
    const { capturing, talk } = start({ overlap: 'last' })
    talk.caller({ at: 4, text: 'EFGH' }).caller({ at: 2, text: 'xxxx' }).caller({ at: 6, text: 'yyyyyy' })
    talk.caller({ at: 7, text: 'z' }).caller({ at: 0, text: 'ab' })
    assert.equal(capturing.received?.text, 'abxxxxyzyyyy')
  })

  it('never changes what was delivered already, by either policy', () => {
    for (const overlap of ['first', 'last']) {
      const { capturing, talk } = start({ overlap })
      talk.caller({ text: 'abc' }).caller({ at: 0, text: 'xyzd' })
      assert.equal(capturing.received?.text, 'abcd')
    }
  })

  it('goes on where sequence numbers wrap around', () => {
    const { capturing, talk } = start({}, {}, { caller: 0xfffffffa, pod: 0xffffffff })
    talk.caller({ at: 6, text: 'ghijkl' }).caller({ at: 0, text: 'abcdef' }).pod({ text: 'answer' })
    talk
      .caller({ at: 3, text: 'defghi' })
      .caller({ flags: ACK | FIN })
      .pod({ flags: ACK | FIN })
    assert.deepEqual(outcome(capturing), ['abcdefghijkl', 'end', 'answer', 'end'])
  })

  it('ignores keep-alives with and without a byte', () => {
    const { capturing, talk } = start()
    talk.caller({ at: -1 }).caller({ at: -1, text: '\0' }).caller({ text: 'abc' })
    talk.caller({ at: 2 }).pod({}).caller({ at: 2, text: '\0' }).pod({}).caller({ text: 'def' })
    assert.equal(capturing.received?.text, 'abcdef')
  })

  it('takes the byte of a zero-window probe once', () => {
    const { capturing, talk } = start()
    talk.caller({ text: 'abc' }).pod({ ack: 3 })
    talk.caller({ at: 3, text: 'd' }).pod({ ack: 3 }).caller({ at: 3, text: 'd' }).pod({ ack: 3 })
    talk.caller({ at: 3, text: 'def' }).pod({ ack: 6 })
    assert.equal(capturing.received?.text, 'abcdef')
  })

  it('resets both directions at a RST, and leaves its data out', () => {
    for (const who of ['caller', 'pod'] as const) {
      const { capturing, talk } = start()
      talk.caller({ text: 'ask' }).pod({ text: 'answer' })
      talk[who]({ flags: RST, text: 'diagnostics' })
      assert.deepEqual(outcome(capturing), ['ask', `reset by the ${who}`, 'answer', `reset by the ${who}`])
    }
  })

  it('ignores a stale RST', () => {
    const { capturing, talk } = start()
    talk.caller({ text: 'ask' }).caller({ flags: RST, at: 0 }).caller({ text: ' more' })
    assert.equal(capturing.received?.text, 'ask more')
    assert.equal(capturing.received?.end, undefined)
  })

  it('takes the data of a FIN, and nothing behind it', () => {
    const { capturing, talk } = start()
    talk.caller({ at: 7, text: 'late' }).caller({ text: 'ask', at: 4, flags: ACK | FIN })
    talk.caller({ at: 0, text: 'the ' }).caller({ at: 8, text: 'behind' })
    assert.deepEqual(outcome(capturing), ['the ask', 'end', '', undefined])
  })

  it('goes on in one direction when the other is closed, either way', () => {
    const { capturing, talk } = start()
    talk
      .caller({ text: 'ask', flags: ACK | FIN })
      .pod({ text: 'long ' })
      .caller({})
      .pod({ text: 'answer' })
    assert.deepEqual(outcome(capturing), ['ask', 'end', 'long answer', undefined])
    const other = start()
    other.talk
      .pod({ text: 'bye', flags: ACK | FIN })
      .caller({ text: 'but ' })
      .pod({})
      .caller({ text: 'wait' })
    assert.deepEqual(outcome(other.capturing), ['but wait', undefined, 'bye', 'end'])
    other.talk.pod({ flags: RST })
    assert.deepEqual(outcome(other.capturing), ['but wait', 'reset by the pod', 'bye', 'end'])
  })

  it('ends both directions at a simultaneous close', () => {
    const { capturing, talk } = start()
    talk.caller({ text: 'a', flags: ACK | FIN, ack: 0 }).pod({ text: 'b', flags: ACK | FIN, ack: 0 })
    talk.caller({ ack: 2 }).pod({ ack: 2 })
    assert.deepEqual(outcome(capturing), ['a', 'end', 'b', 'end'])
  })

  it('takes the data of a SYN that the pod took (Fast Open), once', () => {
    const tfo = new Capturing()
    const fast = new Conversation(tfo)
    fast.caller({ flags: SYN, at: -1, ack: 0, text: 'early' })
    fast.pod({ flags: SYN | ACK, at: -1, ack: 5 }).pod({ at: 0, text: 'answer', ack: 5 })
    fast.caller({ at: 0, text: 'early and late', ack: 6 })
    assert.deepEqual(outcome(tfo).filter(Boolean), ['early and late', 'answer'])
  })

  it("takes the data of the pod's SYN", () => {
    const capturing = new Capturing()
    const talk = new Conversation(capturing).caller({ flags: SYN, at: -1, ack: 0 })
    talk
      .pod({ flags: SYN | ACK, at: -1, text: 'hello' })
      .caller({ ack: 5 })
      .pod({ at: 5, text: ' there' })
    assert.equal(capturing.sent?.text, 'hello there')
  })

  it('leaves a SYN of a closed connection that is seen again alone', () => {
    const { capturing, talk } = start()
    talk.caller({ flags: ACK | FIN }).pod({ flags: ACK | FIN })
    talk
      .caller({ flags: SYN, at: -1, ack: 0 })
      .pod({ flags: SYN | ACK, at: -1 })
      .caller({ text: 'late' })
    assert.equal(capturing.sink.streams.length, 2)
  })

  it('leaves the data of a SYN that the pod did not take to its retransmission', () => {
    const capturing = new Capturing()
    const talk = new Conversation(capturing).caller({ flags: SYN, at: -1, ack: 0, text: 'early' })
    talk.pod({ flags: SYN | ACK, at: -1, ack: 0 }).caller({ at: 0, text: 'early', ack: 0 })
    assert.equal(capturing.received?.text, 'early')
  })

  it('follows a simultaneous open', () => {
    const capturing = new Capturing()
    const talk = new Conversation(capturing)
    talk
      .pod({ flags: SYN, at: -1, ack: 0 })
      .caller({ flags: SYN, at: -1, ack: 0 })
      .pod({ flags: SYN, at: -1, ack: 0 })
    talk.caller({ flags: SYN | ACK, at: -1 }).pod({ flags: SYN | ACK, at: -1, ack: 0 })
    talk.caller({ text: 'ask' }).pod({ text: 'answer' })
    assert.deepEqual(outcome(capturing), ['ask', undefined, 'answer', undefined])
  })

  it('begins anew when addresses and ports are used again', () => {
    const { capturing, talk } = start()
    talk
      .caller({ text: 'one', flags: ACK | FIN })
      .pod({ flags: ACK | FIN })
      .caller({})
    talk.caller({ at: 0, text: request })
    const again = new Conversation(capturing, { caller: 900_000, pod: 800_000 }).handshake()
    again.caller({ text: 'two' })
    const received = capturing.sink.streams.filter(stream => stream.opened.direction === 'received')
    assert.deepEqual(
      received.map(stream => [stream.opened.connection, stream.text, stream.end]),
      [
        ['1', 'one', 'end'],
        ['2', 'two', undefined],
      ],
    )
  })

  it('ends a connection whose close was missed when the pod takes a SYN in its place', () => {
    const { capturing, talk } = start()
    talk.caller({ text: 'one' })
    const again = new Conversation(capturing, { caller: 900_000, pod: 800_000 })
    again.caller({ flags: SYN, at: -1, ack: 0 })
    assert.equal(capturing.received?.end, undefined)
    again.pod({ flags: SYN | ACK, at: -1 }).caller({ text: 'two' })
    assert.equal(capturing.sink.streams[0]?.end, 'gap: its end was not captured')
    assert.equal(capturing.received?.text, 'two')
  })

  it('is not misled by a SYN that the pod does not take', () => {
    const { capturing, talk } = start()
    new Conversation(capturing, { caller: 900_000, pod: 1 }).caller({ flags: SYN, at: -1, ack: 0 })
    talk.pod({ ack: 0 }).caller({ text: 'still here' })
    assert.equal(capturing.received?.text, 'still here')
  })

  it('opens one connection for a SYN that is seen twice', () => {
    const capturing = new Capturing()
    const talk = new Conversation(capturing)
    talk.caller({ flags: SYN, at: -1, ack: 0 }).caller({ flags: SYN, at: -1, ack: 0 })
    talk
      .pod({ flags: SYN | ACK, at: -1 })
      .pod({ flags: SYN | ACK, at: -1 })
      .caller({ text: 'ask' })
    assert.equal(capturing.sink.streams.length, 2)
    assert.equal(capturing.received?.text, 'ask')
  })

  it('tells apart two conversations, and the roles of a loopback one whose ports are both subscribed', () => {
    const capturing = new Capturing({}, { ports: [8080, 40000] })
    const one = new Conversation(capturing, undefined, ends, 1).handshake()
    one.caller({ text: 'ask' }).pod({ text: 'answer' })
    assert.deepEqual(outcome(capturing), ['ask', undefined, 'answer', undefined])
    assert.deepEqual(capturing.received?.opened.pod, ends.pod)
  })

  it('reads IPv6, VLAN tags and 64 KiB packets', () => {
    const capturing = new Capturing()
    const between = { caller: { address: 'fd00::9', port: 1 }, pod: { address: 'fd00::1', port: 8080 } }
    const talk = new Conversation(capturing, undefined, between).handshake()
    talk
      .caller({ text: 'plain ' })
      .caller({ text: 'tagged ', inlineTags: 1 })
      .caller({ text: 'extended', hopByHop: true })
    assert.equal(capturing.received?.text, 'plain tagged extended')
    assert.deepEqual(capturing.received?.opened.caller, between.caller)
    const large = start()
    const payload = 'x'.repeat(65_495)
    large.talk.caller({ text: payload }).caller({ text: payload })
    assert.equal(large.capturing.received?.text, payload + payload)
  })

  it('throws a damaged segment away, as the pod does, unless the kernel vouches for it', () => {
    const { capturing, talk } = start()
    talk.caller({ at: 0, text: 'abx', damaged: true }).caller({ at: 0, text: 'abc', checksumKnown: true })
    assert.equal(capturing.received?.text, 'abc')
  })
})

describe('Follower, with bytes missing', () => {
  it('ends both directions when the pod acknowledges what was never seen, and leaves others alone', () => {
    const { capturing, talk } = start()
    const other = new Conversation(capturing, undefined, {
      ...ends,
      caller: { address: '10.0.0.8', port: 1 },
    })
    other.handshake()
    talk.caller({ text: 'abc' }).caller({ at: 1451, text: 'late' }).pod({ ack: 1455 })
    const [received, sent] = capturing.sink.streams
    assert.deepEqual([received?.text, received?.end], ['abc', 'gap of 1448 bytes'])
    assert.equal(sent?.end, 'gap of 1448 bytes')
    assert.equal(capturing.follower.counters.gaps, 1)
    other.caller({ text: 'goes on' })
    assert.equal(capturing.received?.text, 'goes on')
  })

  it('ends both when the caller acknowledges what the pod was never seen to send', () => {
    const { capturing, talk } = start()
    talk.caller({ text: 'ask' }).caller({ ack: 100 })
    assert.deepEqual(outcome(capturing), ['ask', 'gap of 100 bytes', '', 'gap of 100 bytes'])
  })

  it('waits for a hole that is not acknowledged', () => {
    const { capturing, talk } = start()
    talk.caller({ at: 3, text: 'def' }).pod({ ack: 0 }).pod({ ack: 0 }).caller({ at: 0, text: 'abc' })
    assert.equal(capturing.received?.text, 'abcdef')
  })

  it('does not take up again a connection that ended with a gap', () => {
    const { capturing, talk } = start()
    talk.pod({ ack: 10 }).caller({ at: 10, text: request })
    assert.equal(capturing.sink.streams.length, 2)
  })

  it('gives up a direction that holds more early bytes than the bound, and all when they hold too many together', () => {
    const limits = { earlyBytes: 10_000, allEarlyBytes: 15_000 }
    const one = start({ limits })
    for (let at = 1; at < 20_000; at += 1000) one.talk.caller({ at, text: 'x'.repeat(1000) })
    assert.match(one.capturing.received?.end ?? '', /^gap: too many bytes arrived behind a hole of 1 bytes$/)
    const capturing = new Capturing({ limits })
    for (let port = 1; port <= 3; port++) {
      const caller = { address: '10.0.0.9', port }
      const talk = new Conversation(capturing, undefined, { ...ends, caller }).handshake()
      talk.caller({ at: 1, text: 'x'.repeat(4900) })
    }
    const ended = capturing.sink.streams.filter(stream => stream.end !== undefined)
    assert.equal(ended.length, 2)
  })

  it("refuses to guess where the answers begin when the pod's SYN was not seen", () => {
    const capturing = new Capturing()
    new Conversation(capturing).caller({ flags: SYN, at: -1, ack: 0 }).caller({ text: 'ask' })
    assert.deepEqual(capturing.sink.streams, [])
    assert.equal(capturing.follower.counters.gaps, 1)
  })

  it('ends a direction whose packet was cut where it must be whole', () => {
    const { capturing, talk } = start()
    talk.caller({ text: 'x'.repeat(100), snap: 60 })
    assert.equal(capturing.received?.end, 'gap of 80 bytes')
  })
})

describe('Follower, after the ring lost packets', () => {
  it('ends connections of which nothing follows, and leaves those alone of which something does', () => {
    const { capturing, talk } = start()
    const caller = { address: '10.0.0.9', port: 41000 }
    new Conversation(capturing, undefined, { ...ends, caller }).handshake()
    capturing.follower.lost(3)
    capturing.follower.nowMs += 10
    talk.caller({ text: 'follows' })
    capturing.follower.nowMs += 5000
    capturing.follower.sweep()
    const reason = 'gap: packets were lost, and none followed'
    const outcomes = capturing.sink.streams.map(stream => [stream.text, stream.end])
    assert.deepEqual(outcomes, [
      ['follows', undefined],
      ['', undefined],
      ['', reason],
      ['', reason],
    ])
    assert.equal(capturing.follower.counters.ringDrops, 3)
  })
})

describe('Follower, of connections that were open before', () => {
  it('joins at a segment that begins with a request line, and at the answer that follows', () => {
    const capturing = new Capturing()
    const talk = new Conversation(capturing)
    talk.caller({ text: 'tail of a body' }).pod({ text: 'old answer' }).caller({ text: request })
    talk
      .pod({ text: 'HTTP/1.1 200 OK' })
      .caller({ flags: ACK | FIN })
      .pod({ flags: ACK | FIN })
    assert.deepEqual(outcome(capturing), [request, 'end', 'HTTP/1.1 200 OK', 'end'])
    assert.equal(capturing.received?.opened.joined, true)
  })

  it('joins at a long target that goes on in the next segment, and at no short one', () => {
    const capturing = new Capturing()
    const talk = new Conversation(capturing)
    talk
      .caller({ text: 'GET /a' })
      .caller({ text: 'GET / HTTP/2.0\r\n' })
      .caller({ text: 'GET  / HTTP/1.1\r\n' })
    assert.deepEqual(capturing.sink.streams, [])
    talk.caller({ text: `GET /${'a'.repeat(1400)}` }).caller({ text: ' HTTP/1.1\r\n' })
    assert.equal(capturing.received?.text.length, 1405 + 11)
  })

  it("does not join at the pod's side, nor at other protocols", () => {
    const capturing = new Capturing()
    new Conversation(capturing)
      .pod({ text: request })
      .caller({ text: '\x16\x03\x01hello' })
      .caller({ text: 'SELECT 1' })
    assert.deepEqual(capturing.sink.streams, [])
  })
})

describe('Follower, by answers mode and subscription', () => {
  it('opens no answers stream in mode "none", and still ends exactly', () => {
    const { capturing, talk } = start({}, { answers: 'none' })
    talk
      .caller({ text: 'ask' })
      .pod({ text: 'x'.repeat(3000), snap: 128 })
      .caller({ flags: ACK | FIN })
    talk.pod({ flags: ACK | FIN, snap: 128 })
    assert.deepEqual(outcome(capturing), ['ask', 'end', undefined, undefined])
    const gap = start({}, { answers: 'none' })
    gap.talk.pod({ ack: 9 })
    assert.equal(gap.capturing.received?.end, 'gap of 9 bytes')
  })

  it('says what was cut off in mode "heads"', () => {
    const { capturing, talk } = start({}, { answers: 'heads' })
    talk.pod({ at: 50, text: 'b'.repeat(50), snap: 60 }).pod({ at: 0, text: 'a'.repeat(50), snap: 43 })
    assert.equal(capturing.sent?.text, `aaa<47>${'b'.repeat(20)}<30>`)
  })

  it('ends connections of ports that are no longer subscribed, and leaves the others alone', () => {
    const capturing = new Capturing({}, { ports: [8080, 9090] })
    const other = { ...ends, pod: { ...ends.pod, port: 9090 } }
    const stays = new Conversation(capturing).handshake()
    const goes = new Conversation(capturing, undefined, other).handshake()
    capturing.follower.subscribe({ ports: [8080], answers: 'all', loopbackOnly: false })
    goes.caller({ text: 'more' })
    stays.caller({ text: 'more' })
    const ended = capturing.sink.streams.map(stream => [stream.opened.pod.port, stream.text, stream.end])
    const reason = 'its port is no longer mirrored'
    assert.deepEqual(ended, [
      [8080, 'more', undefined],
      [8080, '', undefined],
      [9090, '', reason],
      [9090, '', reason],
    ])
  })

  it('ends connections, and opens none, while the reader is too slow', () => {
    const { capturing, talk } = start()
    talk.caller({ text: 'a' })
    capturing.sink.ready = false
    talk.pod({})
    assert.equal(capturing.received?.end, undefined)
    talk.caller({ text: 'b' })
    assert.deepEqual(outcome(capturing), ['a', tooSlow, '', tooSlow])
    capturing.sink.ready = true
    talk.caller({ text: request })
    assert.equal(capturing.sink.streams.length, 2)
  })

  it('forgets connections without packets, ended ones sooner', () => {
    const { capturing, talk } = start()
    capturing.follower.nowMs = 2 * 60 * 60 * 1000
    capturing.follower.sweep()
    assert.equal(capturing.received?.end, undefined)
    capturing.follower.nowMs += 1
    capturing.follower.sweep()
    assert.equal(capturing.received?.end, 'no packet for 120 min')
    talk.caller({ text: 'ignored' })
  })

  it('remembers a bounded number of connections, and lets the idle ones go', () => {
    const capturing = new Capturing({ limits: { connections: 32 } })
    for (let port = 1; port <= 100; port++) {
      capturing.follower.nowMs = port
      const caller = { address: '10.0.0.9', port }
      new Conversation(capturing, undefined, { ...ends, caller }).handshake()
    }
    const live = capturing.sink.streams.filter(stream => stream.end === undefined)
    assert.ok(live.length <= 64)
    assert.ok(live.every(stream => stream.opened.caller.port > 66))
  })
})
