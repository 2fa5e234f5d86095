// An answerer that is stuck in accept on a blocking listener is freed by a connection that it knows for a bell.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { makeAcceptWatch, openAcceptWatch, watchAccepts } from '../../../hooks/shared/accept-watch.ts'
import { listenerOf } from '../listener-of.ts'

describe('the accept watch', () => {
  let server: Server
  let timer: NodeJS.Timeout | undefined
  beforeEach(async () => {
    server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  afterEach(() => {
    clearInterval(timer)
    server.close()
  })

  function listener() {
    const { port } = server.address() as AddressInfo
    const endpoint = { address: '127.0.0.1', port }
    return listenerOf({ cookie: 7n, asked: endpoint, actual: endpoint })
  }
  const find = (cookie: bigint) => (cookie === 7n ? listener() : undefined)

  it('rings at a listener in whose accept the answerer stays, and the bell is known by its source', async () => {
    const memory = makeAcceptWatch()
    const answerer = openAcceptWatch(memory)
    timer = watchAccepts(memory, find)
    // An accept that does not come back leaves the memory as it is inside `during`.
    const frozen = Buffer.alloc(16)
    answerer.during(listener(), () => Buffer.from(memory).copy(frozen))
    Buffer.from(memory).set(frozen)
    const [socket] = (await once(server, 'connection')) as [Socket]
    assert.ok(answerer.isBell({ address: '127.0.0.1', port: socket.remotePort ?? 0 }))
    assert.ok(!answerer.isBell({ address: '127.0.0.1', port: 1 }))
    socket.destroy()
  })
  it('takes nothing for a bell while none rings', () => {
    assert.ok(!openAcceptWatch(makeAcceptWatch()).isBell({ address: '127.0.0.1', port: 40000 }))
  })
})
