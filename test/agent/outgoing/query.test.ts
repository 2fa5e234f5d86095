// Questions to nameservers that are not well: the next one is asked, each in its time, and a cancelled question ends at once.
import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { createQuery } from '../../../agent/outgoing/query.ts'

type Say = 'nothing' | { rcode: number } | { address: string }

describe('createQuery()', () => {
  const sockets: Socket[] = []
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.close()
  })

  /** A nameserver that says the same to everybody, and how often it was asked. */
  async function nameserver(say: Say) {
    const socket = createSocket('udp4')
    sockets.push(socket)
    const asked = { count: 0 }
    socket.on('message', (question, peer) => {
      asked.count += 1
      if (say !== 'nothing') socket.send(answer(question, say), peer.port, peer.address)
    })
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    return { address: `127.0.0.1:${socket.address().port}`, asked }
  }

  const config = { search: [], ndots: 1, timeoutMs: 300, attempts: 2 }
  const { signal } = new AbortController()

  it('gives the addresses, none where the name exists without one, and "missing" where it does not', async () => {
    for (const [say, expected] of [
      [{ address: '10.1.2.3' }, ['10.1.2.3']],
      [{ rcode: 0 }, []],
      [{ rcode: 3 }, 'missing'],
    ] as const) {
      const { address, asked } = await nameserver(say)
      assert.deepEqual(
        await createQuery({ ...config, nameservers: [address] })('db.test', 'A', signal),
        expected,
      )
      assert.equal(asked.count, 1)
    }
  })

  it('asks the next server where one fails or says nothing', async () => {
    for (const say of [{ rcode: 2 }, 'nothing'] as const) {
      const [bad, good] = [await nameserver(say), await nameserver({ address: '10.1.2.3' })]
      const query = createQuery({ ...config, nameservers: [bad.address, good.address] })
      assert.deepEqual(await query('db.test', 'A', signal), ['10.1.2.3'])
      assert.deepEqual([bad.asked.count, good.asked.count], [1, 1])
    }
  })

  it('gives up after its attempts: "failed" if any server said so, else "silent"', async () => {
    const quiet = await nameserver('nothing')
    const broken = await nameserver({ rcode: 2 })
    const both = createQuery({ ...config, nameservers: [quiet.address, broken.address] })
    assert.equal(await both('db.test', 'A', signal), 'failed')
    assert.deepEqual([quiet.asked.count, broken.asked.count], [2, 2])
    assert.equal(
      await createQuery({ ...config, nameservers: [quiet.address] })('db.test', 'A', signal),
      'silent',
    )
  })

  it('ends at once when it is aborted', async () => {
    const { address, asked } = await nameserver('nothing')
    const given = new AbortController()
    const query = createQuery({ ...config, timeoutMs: 60_000, nameservers: [address] })
    const answered = query('db.test', 'A', given.signal)
    const [socket] = sockets.slice(-1)
    await once(socket!, 'message')
    given.abort()
    assert.equal(await answered, 'silent')
    assert.equal(asked.count, 1)
  })
})

/** The question with an answer of 16 bytes, or without. */
function answer(question: Buffer, say: Exclude<Say, 'nothing'>): Buffer {
  // What follows the name is its type and class; additional records of the question are not repeated.
  const end = question.indexOf(0, 12) + 5
  const head = Buffer.from(question.subarray(0, end))
  const records = 'address' in say ? 1 : 0
  head.writeUInt16BE(0x8180 | ('rcode' in say ? say.rcode : 0), 2)
  for (const [at, count] of [
    [6, records],
    [8, 0],
    [10, 0],
  ] as const)
    head.writeUInt16BE(count, at)
  if (!('address' in say)) return head
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, ...say.address.split('.').map(Number)])
  return Buffer.concat([head, record])
}
