// Standing in for real workloads of the shop: nginx, a Node and a Python service, PostgreSQL, Redis, and a program alone in its image.
import assert from 'node:assert/strict'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { type Clients, startClients } from '../stage/clients.ts'
import { freshNamespace } from '../stage/kubectl.ts'
import { clusterEnvironment, StandinRuns } from '../stage/session-run.ts'
import { untilNoAgents } from '../stage/session-stand.ts'
import { type StandAt, type StoodIn, standIn } from '../stage/stood-in.ts'

const namespace = 'shop'
const requests = 20

describe("a workload's callers reach the program that stands in for it, and the workload alone answers:", () => {
  const mark = markRun()
  const runs = new StandinRuns(clusterEnvironment(mark.environment))
  let clients: Clients
  let remove: () => Promise<void>
  before(async () => {
    const { name, remove: removal } = await freshNamespace('workloads')
    remove = removal
    clients = await startClients(name, ['http', 'sql', 'redis'])
  })
  after(async () => {
    // Others may stand there too on a cluster that is shared.
    if (!process.env.STANDIN_TEST_SHARED) await untilNoAgents(namespace)
    await remove?.()
  })
  afterEach(async () => {
    await runs.end()
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })
  const at = (of: Omit<StandAt, 'namespace'>): Promise<StoodIn> => standIn(runs, { namespace, ...of })

  // biome-ignore format: a table is read row by row
  const web: readonly [name: string, service: string, StandAt['target'], port: number, variable: string, value: string][] = [
    // It writes its title over its variables, as Redis does.
    ['nginx', 'web', 'deployment/web', 80, 'WEB_SEASON', 'summer'],
    ['a Node service', 'checkout', 'deployment/checkout', 8080, 'PAYMENT_KEY', 'not a secret, a test'],
    ['a Python service', 'prices', 'deployment/prices', 8000, 'PRICE_LIST', 'spring'],
    ['a program alone in its image', 'static', 'deployment/ledger', 8080, 'LEDGER_YEAR', '2026'],
  ]
  for (const [name, service, target, port, variable, value] of web)
    it(name, async () => {
      const stoodIn = await at({ target, port, variable })
      assert.equal(stoodIn.variable, value)
      const path = `/journey-${process.pid}`
      const bodies = await clients.get(`http://${stoodIn.address}:${port}${path}`, requests)
      for (const body of bodies) {
        const answer = JSON.parse(body) as Record<string, unknown>
        assert.deepEqual([answer.service, answer.hostname, answer.path], [service, stoodIn.pod, path])
      }
      await stoodIn.untilCount('requests at the program', requests, `GET ${path} HTTP/1.1\r\n`)
      await stoodIn.end()
    })

  it('PostgreSQL', async () => {
    const stoodIn = await at({ target: 'statefulset/db', port: 5432, variable: 'PGDATA' })
    assert.equal(stoodIn.variable, '/data/db')
    const mostly = ['psql', '-h', stoodIn.address, '-U', 'shop', '-d', 'shop', '-At']
    assert.equal(await clients.run('sql', ...mostly, '-c', 'select 41 + 1', '-c', "select 'and'"), '42\nand')
    const big = 'select sum(length(x)) from (select repeat(chr(65), 100000) x from generate_series(1, 20)) y'
    assert.equal(await clients.run('sql', ...mostly, '-c', big), '2000000')
    await stoodIn.untilGot('the queries', 'user\0shop\0', 'select 41 + 1\0', "select 'and'\0")
    await stoodIn.untilGot('the other query', 'user\0shop\0', `${big}\0`)
    await stoodIn.end()
  })

  it('Redis', async () => {
    const stoodIn = await at({ target: 'deployment/cache', port: 6379, variable: 'CACHE_SEASON' })
    assert.equal(stoodIn.variable, 'winter')
    const key = `journey-${process.pid}`
    const cli = (...words: string[]) => clients.run('redis', 'redis-cli', '-h', stoodIn.address, ...words)
    const value = 'v'.repeat(100_000)
    assert.equal(await cli('SET', key, value), 'OK')
    assert.equal(await cli('GET', key), value)
    assert.equal(await cli('DEL', key), '1')
    await stoodIn.untilGot(
      'the value, whole',
      `$3\r\nSET\r\n$${key.length}\r\n${key}\r\n$100000\r\n${value}\r\n`,
    )
    await stoodIn.untilGot('the end of it', `DEL\r\n$${key.length}\r\n${key}\r\n`)
    await stoodIn.end()
  })
})
