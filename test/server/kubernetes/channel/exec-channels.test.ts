// The channels of a command in a pod: input, two outputs, and how it ended.
import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import { ExecChannels } from '../../../../server/kubernetes/channel/exec-channels.ts'

function channelsOf(options: { stdin?: boolean } = {}) {
  const asked: string[] = []
  const wire = {
    messageBytes: 32_768,
    send(channel: number, chunks: readonly Buffer[], room: () => void) {
      asked.push(`${channel}:${Buffer.concat(chunks).toString('hex')}`)
      room()
    },
    pause: () => void asked.push('pause'),
    resume: () => void asked.push('resume'),
    close: (done: () => void) => done(),
  }
  const channels = new ExecChannels(wire, { pod: 'web', stdin: options.stdin ?? false })
  return { channels, asked }
}
const success = Buffer.from('{"status":"Success"}')

describe('ExecChannels', () => {
  it('tells the end of the input as version 5 does', async () => {
    const { channels, asked } = channelsOf({ stdin: true })
    channels.stdin.end('in')
    await new Promise(resolve => channels.stdin.once('finish', resolve))
    assert.deepEqual(asked, ['0:696e', '255:00'])
  })

  it('takes a closing message of the cluster for nothing', async () => {
    const { channels } = channelsOf()
    channels.message(1, Buffer.from('out'))
    channels.message(255, Buffer.of(1))
    channels.message(2, Buffer.from('err'))
    channels.message(3, success)
    channels.ended(undefined)
    assert.deepEqual(await Promise.all([text(channels.stdout), text(channels.stderr)]), ['out', 'err'])
    assert.deepEqual(await channels.exit, { code: 0 })
  })

  it('fails on a channel that does not exist, after what came before', async () => {
    const { channels } = channelsOf()
    channels.message(1, Buffer.from('out'))
    channels.message(9, Buffer.from('?'))
    await assert.rejects(channels.exit, /the cluster sent a message of channel 9, which does not exist/)
    let seen = ''
    await assert.rejects(async () => {
      for await (const chunk of channels.stdout) seen += chunk
    }, /channel 9/)
    assert.equal(seen, 'out')
  })

  it('fails when the cluster does not say how the command ended', async () => {
    const { channels } = channelsOf()
    channels.ended(undefined)
    await assert.rejects(channels.exit, /did not say how the command ended/)
  })

  it('holds the wire while any output is full, and lets it go when none is or its reader left', () => {
    const { channels, asked } = channelsOf()
    for (const channel of [1, 2]) channels.message(channel, Buffer.alloc(300_000))
    assert.deepEqual(asked, ['pause'])
    channels.stdout.destroy()
    assert.deepEqual(asked, ['pause'])
    channels.stderr.resume()
    channels.stderr.read()
    assert.deepEqual(asked, ['pause', 'resume'])
  })
})
