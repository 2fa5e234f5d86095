// Forwarded bytes over a link that is cut again and again: what stands goes on without a lost or doubled byte.
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { createDialler } from '../../../agent/outgoing/dial.ts'
import { podFiles } from '../../../agent/targets/pod-files.ts'
import type { AgentEvent, Dial } from '../../../protocol/agent/control.ts'
import type { LinkStream } from '../../../protocol/link/link-stream.ts'
import { Dials } from '../../../server/forwarding/dials.ts'
import { Forward } from '../../../server/forwarding/forward.ts'
import { listenAt } from '../../../server/forwarding/listen.ts'
import { dialTo, listen, proxyTo } from '../link-ends.ts'

const bytes = randomBytes(4 << 20)
const hashOf = (data: Buffer) => createHash('sha256').update(data).digest('hex')

describe('a forward over a link that is cut', () => {
  it('brings 4 MiB there and back in each of 8 connections', async () => {
    const echo = createServer({ allowHalfOpen: true }, socket => socket.on('error', () => {}).pipe(socket))
    echo.listen(0, '127.0.0.1')
    await once(echo, 'listening')
    const { port } = echo.address() as { port: number }
    // Each end needs the other: what the agent is told to dial, and what the server hears of it.
    let tell: (event: AgentEvent) => void = () => assert.fail('told before there was a link')
    const dial = createDialler(event => tell(event), podFiles({ pid: 'self' }))
    const agent = await listen({ onOpen: dial })
    tell = event => agent.endpoint.control(event)
    const proxy = await proxyTo(agent.name, () => 1_000_000 + Math.floor(Math.random() * 4_000_000))
    let open: (payload: Dial) => LinkStream = () => assert.fail('dialled before there was a link')
    const dials = new Dials(payload => open(payload))
    const server = dialTo(proxy.name, {
      graceMs: 60_000,
      onControl: event => dials.hear(event as Parameters<typeof dials.hear>[0]),
    })
    await server.ready
    open = payload => server.endpoint.open(payload)
    const { server: listener, at } = await listenAt({ port: 0 })
    const silent = (text: string) => assert.fail(text)
    const remote = { host: 'localhost', port }
    const forward = new Forward({ server: listener, remote, dials, onRefused: silent, onNotice: silent })
    try {
      const hashes = await Promise.all(Array.from({ length: 8 }, () => echoed((at as { port: number }).port)))
      assert.deepEqual([...new Set(hashes)], [hashOf(bytes)])
      assert.ok(proxy.cuts >= 5, `only ${proxy.cuts} cuts`)
    } finally {
      forward.close()
      dials.close()
      server.close('the test is over')
      agent.close('the test is over')
      proxy.close()
      echo.close()
    }
  }).timeout(60_000)
})

async function echoed(port: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  socket.end(bytes)
  const parts: Buffer[] = []
  for await (const part of socket) parts.push(part)
  return hashOf(Buffer.concat(parts))
}
