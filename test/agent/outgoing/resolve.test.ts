// How a name becomes addresses: which file, which questions in which order, and what it means when they are not answered.
import assert from 'node:assert/strict'
import type { Answer } from '../../../agent/outgoing/query.ts'
import { resolveInPod } from '../../../agent/outgoing/resolve.ts'

const resolvConf = 'search shop.test svc.test\nnameserver 10.0.0.1\noptions ndots:2\n'

/** The addresses, or the code of the error after those that came before it; and the questions. */
async function resolved(name: string, zone: Record<string, Answer> = {}, hosts = '') {
  const asked: string[] = []
  const addresses: string[] = []
  const all = resolveInPod(name, {
    files: { nameFile: path => (path === '/etc/hosts' ? hosts : resolvConf) },
    signal: new AbortController().signal,
    queryBy: () => async (question, type) => {
      asked.push(`${question} ${type}`)
      return zone[`${question} ${type}`] ?? 'missing'
    },
  })
  try {
    for await (const address of all) addresses.push(address)
  } catch (error) {
    addresses.push((error as NodeJS.ErrnoException).code!)
  }
  return { addresses, asked }
}

describe('resolveInPod()', () => {
  it('asks nobody when the hosts file knows the name', async () => {
    const hosts = 'fd00::7 db\n10.0.0.7 db\n'
    assert.deepEqual(await resolved('db', {}, hosts), { addresses: ['10.0.0.7', 'fd00::7'], asked: [] })
  })

  it('knows localhost, also where no file names it', async () => {
    assert.deepEqual(await resolved('LocalHost'), { addresses: ['127.0.0.1', '::1'], asked: [] })
  })

  it('takes the first name of the search list that exists, A before AAAA', async () => {
    const zone = { 'db.svc.test A': ['10.0.0.2'], 'db.svc.test AAAA': ['fd00::2'], 'db A': ['10.0.0.3'] }
    assert.deepEqual(await resolved('db', zone), {
      addresses: ['10.0.0.2', 'fd00::2'],
      asked: ['db.shop.test A', 'db.svc.test A', 'db.svc.test AAAA'],
    })
  })

  it('asks for no AAAA when an address before did', async () => {
    const files = { nameFile: () => 'nameserver 10.0.0.1' }
    const queryBy = () => async (_: string, type: string) =>
      type === 'A' ? ['10.0.0.2'] : assert.fail('AAAA was asked for')
    const all = resolveInPod('db', { files, signal: new AbortController().signal, queryBy })
    assert.deepEqual(await all.next(), { value: '10.0.0.2', done: false })
    await all.return(undefined)
  })

  it('goes on where a name has neither, and ends with ENOTFOUND', async () => {
    const zone = { 'db.shop.test A': [], 'db.shop.test AAAA': [] }
    assert.deepEqual(await resolved('db', zone), {
      addresses: ['ENOTFOUND'],
      asked: ['db.shop.test A', 'db.shop.test AAAA', 'db.svc.test A', 'db A'],
    })
  })

  it('goes on where a server fails, and says EAI_AGAIN only if nothing is found', async () => {
    const failed = { 'db.shop.test A': 'failed', 'db.shop.test AAAA': 'failed' } as const
    assert.deepEqual((await resolved('db', failed)).addresses, ['EAI_AGAIN'])
    const found = { ...failed, 'db.svc.test AAAA': ['fd00::2'], 'db.svc.test A': [] }
    assert.deepEqual((await resolved('db', found)).addresses, ['fd00::2'])
  })

  it('ends with EAI_AGAIN where no server says anything, and asks nothing more', async () => {
    assert.deepEqual(await resolved('db', { 'db.shop.test A': 'silent' }), {
      addresses: ['EAI_AGAIN'],
      asked: ['db.shop.test A'],
    })
  })

  it('does not fail after an address because the other family was not answered', async () => {
    const zone = { 'a.b.c A': ['10.0.0.2'], 'a.b.c AAAA': 'silent' } as const
    assert.deepEqual((await resolved('a.b.c', zone as unknown as Record<string, Answer>)).addresses, [
      '10.0.0.2',
    ])
  })
})
