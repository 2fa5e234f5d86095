// A filter under the hooks, with the test in the server's place: names that resolve while the program runs, and what is said of each decision.
import assert from 'node:assert/strict'
import type { OutgoingRules } from '../../../protocol/hook/messages.ts'
import { HookHarness } from '../../stage/hook-harness.ts'
import type { HookedCommand } from '../../stage/hooked-command.ts'
import { type RelayProcess, startRelay } from '../../stage/relay-process.ts'

const service = '198.51.100.7'
const unreachable = { errno: 'ENETUNREACH' }

describe('connect with a filter', () => {
  let harness: HookHarness
  let relay: RelayProcess
  beforeEach(async () => {
    harness = await HookHarness.open()
    relay = await startRelay(harness.dist, {})
  })
  afterEach(async () => {
    assert.deepEqual(await harness.close(), [])
    await relay.close()
  })

  async function start(filter: OutgoingRules['filter']) {
    const command = ['/usr/bin/python3', `${harness.programs}/connect.py`, 'blocking']
    const outgoing = { tcp: true, ignoreLocalhost: false, quiet: relay.quiet, filter }
    const hooked = await harness.start(command, { outgoing })
    let count = 0
    const to = async (port: number, asPod?: () => Promise<void>) => {
      hooked.supervisor.stdin?.write(`${service} ${port}\n`)
      await asPod?.()
      count += 1
      await hooked.output.untilCount('results', count, () => true)
      return JSON.parse(hooked.output.all[count - 1]!)
    }
    return { hooked, to }
  }

  /** The pod is asked, and refuses in a way of its own. */
  const refusing = (hooked: HookedCommand, rule: string) => async () => {
    const asked = await hooked.next('connect')
    assert.equal(asked.rule, rule)
    hooked.send({ type: 'refused', connection: asked.connection, errno: 'EACCES' })
  }

  it('sends to the pod what a name of "remote" has resolved to, from its confirmation on', async () => {
    const filter = { side: 'remote' as const, entries: ['10.0.0.1', 'db.shop:5432'], learned: [] }
    const { hooked, to } = await start(filter)
    // This namespace has no route.
    assert.deepEqual(await to(5432), unreachable)
    const learned = { name: 'db.shop', entries: [1], addresses: [service] }
    hooked.send({ type: 'learn', learning: 7, learned })
    assert.equal((await hooked.next('learned')).learning, 7)
    const rule = 'entry "db.shop:5432" of feature.network.outgoing.filter.remote, where db.shop is'
    assert.deepEqual(await to(5432, refusing(hooked, rule)), { errno: 'EACCES' })
    assert.deepEqual(await to(5433), unreachable)
  })

  it('keeps here what a name of "local" had resolved to before the program began', async () => {
    const learned = [{ name: 'db.shop', entries: [0], addresses: [service] }]
    const { hooked, to } = await start({ side: 'local', entries: ['db.shop:5432'], learned })
    assert.deepEqual(await to(5432), unreachable)
    const rule = 'no entry of feature.network.outgoing.filter.local matches'
    assert.deepEqual(await to(5433, refusing(hooked, rule)), { errno: 'EACCES' })
  })

  it('obeys other rules from when they come', async () => {
    const { hooked, to } = await start({ side: 'local', entries: [service], learned: [] })
    assert.deepEqual(await to(80), unreachable)
    hooked.send({ type: 'outgoing', rules: { tcp: true, ignoreLocalhost: false, quiet: relay.quiet } })
    // The supervisor takes messages one after the other.
    hooked.send({ type: 'learn', learning: 1, learned: { name: 'a', entries: [], addresses: [] } })
    await hooked.next('learned')
    assert.deepEqual(await to(80, refusing(hooked, 'no filter keeps it here')), { errno: 'EACCES' })
  })
})
