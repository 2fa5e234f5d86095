// How two streams of SPDY become the channels of a port-forward.
import assert from 'node:assert/strict'
import {
  encodeData,
  encodePing,
  FrameReader,
  flagFin,
} from '../../../../server/kubernetes/channel/spdy-frames.ts'
import { tunnelFormat } from '../../../../server/kubernetes/channel/tunnel-format.ts'

function formatOf(port: number) {
  const heard: string[] = []
  const format = tunnelFormat(port)
  const decode = (...parts: Buffer[]) =>
    format.decode(Buffer.concat(parts), {
      message: (channel, bytes) => heard.push(`${channel}:${bytes.toString('latin1')}`),
      pong: () => heard.push('pong'),
      reply: bytes => heard.push(`reply ${bytes.toString('hex')}`),
      over: fault => heard.push(`over ${fault}`),
    })
  return { format, heard, decode }
}

const reply = (stream: number) =>
  Buffer.from(`8003000200000004000000${stream.toString(16).padStart(2, '0')}`, 'hex')
const reset = (stream: number) =>
  Buffer.from(`8003000300000008000000${stream.toString(16).padStart(2, '0')}00000005`, 'hex')
const data = (stream: number, text: string) => encodeData(stream, text === '' ? [] : [Buffer.from(text)])
const fin = (stream: number) => encodeData(stream, [], { flags: flagFin })

describe('tunnelFormat()', () => {
  it('opens the error stream, ends our side of it, and opens the data stream', () => {
    const frames = formatOf(7000).format.opening.map(bytes => bytes.toString('hex').slice(0, 24))
    assert.deepEqual(
      frames.map(frame => frame.slice(0, 8)),
      ['80030001', '00000001', '80030001'],
    )
    assert.equal(frames[1], '0000000101000000')
  })

  it('tells a stream that is open by the port, and data by its channel', () => {
    const { heard, decode } = formatOf(7000)
    decode(reply(1), reply(3), data(3, 'hi'))
    assert.deepEqual(heard, ['1:X\x1b', '0:X\x1b', '0:hi'])
  })

  it('is over when both streams have ended, with the error text that came after the end of the data', () => {
    const { heard, decode } = formatOf(7000)
    decode(fin(3), data(1, 'refused'), reset(1))
    assert.deepEqual(heard, ['0:', '1:refused', 'over the node reset the connection'])
  })

  it('is over without a fault when both streams have ended in peace', () => {
    const { heard, decode } = formatOf(7000)
    decode(fin(1), data(3, 'x'), fin(3), data(3, 'late'))
    assert.deepEqual(heard, ['1:', '0:x', '0:', 'over undefined'])
  })

  it('answers the pings of the other end, and knows the answers to its own', () => {
    const { format, heard, decode } = formatOf(7000)
    decode(encodePing(2), format.ping!())
    assert.deepEqual(heard, [`reply ${encodePing(2).toString('hex')}`, 'pong'])
    const [again] = [...new FrameReader().read(format.ping!())]
    assert.deepEqual(again, { type: 'ping', id: 3 })
  })

  it('is over with a fault at what cannot be read, and at streams of others says nothing', () => {
    const { heard, decode } = formatOf(7000)
    decode(data(5, 'whose'), Buffer.from('80020001', 'hex'), Buffer.alloc(4))
    assert.deepEqual(heard, ['over the cluster sent what cannot be read: what came is no SPDY/3.1'])
  })
})
