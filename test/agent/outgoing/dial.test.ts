// A dial in the pod: told with the pod's own end, or with the errno, and never anything said on a stream that nobody asked for.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { createDialler } from '../../../agent/outgoing/dial.ts'
import { podFiles } from '../../../agent/targets/pod-files.ts'
import type { AgentEvent } from '../../../protocol/agent/control.ts'
import type { LinkStream } from '../../../protocol/link/link-stream.ts'

describe('createDialler()', () => {
  let server: Server
  let port: number
  beforeEach(async () => {
    server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    port = (server.address() as { port: number }).port
  })
  afterEach(() => {
    server.close()
  })

  /** What the dialler tells of one stream. */
  function dialled(payload: unknown) {
    const resets: string[] = []
    const written: Buffer[] = []
    const stream = {
      id: 7,
      queuedBytes: 0,
      write: ({ bytes }: { bytes: Buffer }) => written.push(bytes),
      end() {},
      grant() {},
      reset: (reason: string) => resets.push(reason),
    } as unknown as LinkStream
    const told = new Promise<AgentEvent>(resolve =>
      createDialler(resolve, podFiles({ pid: 'self' }))(stream, payload),
    )
    return { stream, told, resets, written }
  }

  it("tells the pod's end, and joins the stream with the connection", async () => {
    const accepted = once(server, 'connection') as Promise<[Socket]>
    const { stream, told } = dialled({ dial: 'tcp', to: { address: '127.0.0.1', port } })
    const event = await told
    const [socket] = await accepted
    assert.deepEqual(event, {
      event: 'dialled',
      stream: 7,
      local: { address: '127.0.0.1', port: socket.remotePort },
    })
    stream.events!.data({ bytes: Buffer.from('hello') })
    assert.equal(String((await once(socket, 'data'))[0]), 'hello')
    stream.events!.reset('over')
    const [error] = await once(socket, 'error')
    assert.equal(error.code, 'ECONNRESET')
  })

  it('tells the errno', async () => {
    server.close()
    await once(server, 'close')
    const { told } = dialled({ dial: 'tcp', to: { address: '127.0.0.1', port } })
    assert.deepEqual(await told, { event: 'dialFailed', stream: 7, errno: 'ECONNREFUSED' })
  })

  it('gives up what is reset while it is made', async () => {
    const { stream, told } = dialled({ dial: 'tcp', to: { address: '127.0.0.1', port } })
    stream.events!.reset('the process gave it up')
    const late = new Promise(resolve => setImmediate(() => setImmediate(resolve)))
    assert.equal(await Promise.race([told, late.then(() => 'nothing')]), 'nothing')
  })

  it('refuses an opening that it does not understand', () => {
    for (const payload of [
      undefined,
      {},
      { dial: 'sctp', to: { address: '127.0.0.1', port: 1 } },
      { dial: 'udp', from: { address: '127.0.0.1', port: 1 } },
      { dial: 'tcp' },
    ])
      assert.deepEqual(dialled(payload).resets, ['its opening is not understood'])
  })
})
