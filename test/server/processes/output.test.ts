// A command's output on its way to the client: all of it, in order, with pressure.
import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { OutputPump } from '../../../server/processes/output.ts'
import type { Client } from '../../../server/rpc/client.ts'

function slowClient() {
  const data: string[] = []
  const waiting: (() => void)[] = []
  const client = {
    congested: false,
    notify: (_: unknown, params: { data: string }) => void data.push(params.data),
    room: () => new Promise<void>(resolve => void waiting.push(resolve)),
  }
  const release = () => {
    client.congested = false
    for (const wake of waiting.splice(0)) wake()
  }
  return { client: client as typeof client & Client, data, release }
}
const settle = () => new Promise(resolve => setImmediate(resolve))

describe('OutputPump', () => {
  it('sends all output before it is drained', async () => {
    const { client, data } = slowClient()
    const pipe = new PassThrough()
    const pump = new OutputPump(client, 'p1')
    pump.add('stdout', pipe)
    pipe.write('a')
    pipe.end('b')
    await pump.drained()
    assert.equal(data.join(''), 'ab')
  })

  it('stops reading the pipe while the client does not read, and is not drained meanwhile', async () => {
    const { client, data, release } = slowClient()
    const pipe = new PassThrough()
    const pump = new OutputPump(client, 'p1')
    pump.add('stdout', pipe)
    client.congested = true
    pipe.write('a')
    await settle()
    assert.equal(pipe.isPaused(), true)
    let drained = false
    const done = pump.drained().then(() => (drained = true))
    pipe.end('b')
    await settle()
    assert.deepEqual([data, drained], [['a'], false])
    release()
    await done
    assert.deepEqual(data, ['a', 'b'])
  })

  it('does not wait for a survivor that holds the pipe in silence, and sends nothing of it afterwards', async () => {
    const { client, data } = slowClient()
    const pipe = new PassThrough()
    const pump = new OutputPump(client, 'p1')
    pump.add('stdout', pipe)
    pipe.write('a')
    await pump.drained()
    pipe.write('late')
    await settle()
    assert.deepEqual(data, ['a'])
    assert.equal(pipe.readableLength, 0)
  })
})
