// How an agent is brought to its container: reasons told while it waits, and in the end.
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import type { V1Pod } from '@kubernetes/client-node'
import sinon from 'sinon'
import type { Running } from '../../../../server/kubernetes/agent/await-running.ts'
import { bringAgent } from '../../../../server/kubernetes/agent/bring.ts'
import { pauseAfter } from '../../../../server/kubernetes/agent/connect-bootstrap.ts'
import type { Follow } from '../../../../server/kubernetes/agent/follow.ts'
import { type Api, StatusError } from '../../../../server/kubernetes/client/api.ts'
import { openLog } from '../../../../server/log.ts'
import { Narrator } from '../../../../server/targets/narrate.ts'

const asks = { verb: 'get', resource: 'pods/portforward' }
const pod: V1Pod = { metadata: { name: 'shop-1', uid: 'u' } }
const place = { namespace: 'shop', pod, container: { name: 'web', id: 'c1' } }
const about = { namespace: 'shop', node: 'node-1', image: 'node', ephemeral: false, selects: false }

describe('bringAgent()', () => {
  let clock: sinon.SinonFakeTimers
  beforeEach(() => {
    clock = sinon.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
    })
  })
  afterEach(() => clock.restore())

  /** An agent whose container runs, on a node to which no connection can be made. */
  function unreachable() {
    const state = { running: {} }
    const sight = {
      pod,
      container: { name: 'a', image: '', imageID: '', ready: true, restartCount: 0, state },
      events: [],
    }
    const told: string[] = []
    const counts = { dials: 0 }
    const api = {
      async dial() {
        counts.dials += 1
        throw new StatusError(
          500,
          'InternalError',
          'error dialing backend: dial tcp 10.0.0.7:10250: i/o timeout',
          asks,
        )
      },
    } as unknown as Api
    const options = {
      ...generateKeyPairSync('ed25519'),
      ...{ sessionId: 's1', graceMs: 60_000, log: openLog({ level: 'error' }), tell() {} },
      ...{ signal: new AbortController().signal, onStep: (_: string, text: string) => told.push(text) },
    }
    const running: Running = {
      follow: { sight, goneReason: undefined, failure: undefined } as unknown as Follow,
      about,
      narrator: new Narrator(options.onStep),
      deadlineMs: performance.now() + 60_000,
      timeoutSeconds: 60,
      signal: options.signal,
      hindrance: () => undefined,
    }
    const address = { namespace: 'shop', pod: 'agent-1', port: 27_183 }
    return { told, counts, bring: { api, address, place, options, running, ephemeral: false } }
  }
  const reason = 'the cluster cannot reach its node (dial tcp 10.0.0.7:10250: i/o timeout)'

  it('tells why no connection can be made, while it tries and at the end', async () => {
    const { told, bring } = unreachable()
    const late = assert.rejects(bringAgent(bring), {
      kind: 'agent-slow',
      message: `Cannot start agent within 60 s: its container runs, but ${reason}`,
    })
    await clock.tickAsync(60_000)
    await late
    assert.equal(told[0], 'delivering the agent to pod agent-1')
    assert.ok(told.includes(`delivering the agent to pod agent-1: ${reason}, 30 s`), told.join('\n'))
    assert.equal(clock.countTimers(), 0)
  })

  it('tries less and less often', async () => {
    const { counts, bring } = unreachable()
    const late = assert.rejects(bringAgent(bring), { kind: 'agent-slow' })
    await clock.tickAsync(60_000)
    await late
    assert.ok(counts.dials < 70, `${counts.dials} dials in 60 s`)
    assert.deepEqual([1, 8, 9, 17, 100].map(pauseAfter), [50, 50, 100, 200, 2_000])
  })
})
