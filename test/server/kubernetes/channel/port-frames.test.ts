// The channels of a port-forward: the ports that open them, and the node's texts that refuse them.
import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import type { Failure } from '../../../../protocol/errors.ts'
import { PodConnection } from '../../../../server/kubernetes/channel/pod-connection.ts'
import { PortFrames } from '../../../../server/kubernetes/channel/port-frames.ts'

function framesOf(port: number) {
  const wire = {
    ...{ messageBytes: 32_768, send: () => {}, pause: () => {}, resume: () => {} },
    close: (done: () => void) => done(),
  }
  const connection = new PodConnection(wire).on('error', () => {})
  let abandoned = false
  const abandon = () => {
    abandoned = true
  }
  const frames = new PortFrames({ pod: 'web', port, connection, abandon })
  const message = (channel: number, hex: string) => frames.message(channel, Buffer.from(hex, 'hex'))
  return { frames, connection, message, abandoned: () => abandoned }
}

describe('PortFrames', () => {
  // 7000 is 0x1b58: little endian 58 1b.
  for (const [how, messages] of [
    [
      'alone',
      [
        [0, '581b'],
        [1, '581b'],
        [0, '6869'],
      ],
    ],
    [
      'in pieces',
      [
        [0, '58'],
        [1, '58'],
        [0, '1b'],
        [1, '1b'],
        [0, '6869'],
      ],
    ],
    [
      'with the first bytes',
      [
        [1, '581b'],
        [0, '581b6869'],
      ],
    ],
    [
      'in pieces with the first bytes',
      [
        [1, '581b'],
        [0, '58'],
        [0, '1b68'],
        [0, '69'],
      ],
    ],
  ] as const)
    it(`takes the port off that comes ${how}`, async () => {
      const { frames, connection, message } = framesOf(7000)
      for (const [channel, hex] of messages) message(channel, hex)
      await frames.opened
      frames.ended(undefined)
      assert.equal(await text(connection), 'hi')
    })

  it('is open when both channels are, not before', async () => {
    const { frames, message } = framesOf(7000)
    let open = false
    frames.opened.then(() => {
      open = true
    })
    message(0, '581b')
    await Promise.resolve()
    assert.equal(open, false)
    message(1, '581b')
    await Promise.resolve()
    assert.equal(open, true)
  })

  for (const [what, channel, hex, sentence] of [
    ['a channel that was never opened', 2, '00', /sent a message of channel 2, which does not exist/],
    ['the closing channel of version 5', 255, '00', /sent a message of channel 255, which does not exist/],
    ['another port', 0, '591b', /the cluster opened port 7001 instead/],
  ] as const)
    it(`refuses ${what}, and gives what came before`, async () => {
      const { connection, message, abandoned } = framesOf(7000)
      message(0, '581b6869')
      message(1, channel === 0 ? '591b' : '581b')
      if (channel !== 0) message(channel, hex)
      assert.equal(abandoned(), true)
      const chunks: Buffer[] = []
      await assert.rejects(async () => {
        for await (const chunk of connection) chunks.push(chunk)
      }, sentence)
      assert.equal(Buffer.concat(chunks).toString(), 'hi')
    })

  it('rejects what never opened, with the text of the node if there is one', async () => {
    const silent = framesOf(80)
    silent.frames.ended(undefined)
    await assert.rejects(silent.frames.opened, /the node closed the connection before it was open/)
    const told = framesOf(80)
    told.message(1, `5000${Buffer.from('no sandbox').toString('hex')}`)
    told.frames.ended(undefined)
    await assert.rejects(told.frames.opened, (failure: Failure) => failure.message.endsWith(': no sandbox'))
  })
})
