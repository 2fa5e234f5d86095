// What createAnswerer makes: each request of the server gets one answer, whatever happens to it.
import assert from 'node:assert/strict'
import { createAnswerer } from '../../agent/answer.ts'
import type { Mirror } from '../../agent/incoming/mirror.ts'
import type { Subscription } from '../../agent/incoming/subscription.ts'
import type { AgentAnswer, TargetFacts } from '../../protocol/agent/control.ts'
import { Failure } from '../../protocol/errors.ts'

const facts: TargetFacts = {
  target: { target: 'process/7', kind: 'process', name: 'node', ready: true, ports: [80] },
  hostname: 'shop',
  addresses: [],
  ports: [80],
  environment: {},
  nameFiles: { notices: [] },
  ownNetwork: true,
}

/** Asks, and gives the answer with what the capture was told. */
async function ask(value: unknown, options: { sidecar?: string; subscribe?: () => Promise<void> } = {}) {
  const told: Subscription[] = []
  let mirrors = 0
  const mirror: Mirror = {
    async subscribe(subscription) {
      told.push(subscription)
      await options.subscribe?.()
    },
    counters: async () => ({ packets: 1, bytes: 2, ringDrops: 3, connections: 4, gaps: 5, unopened: 7 }),
    close: async () => undefined,
  }
  const answer = await new Promise<AgentAnswer>((resolve, reject) =>
    createAnswerer({
      facts: () => (options.sidecar === undefined ? facts : { ...facts, sidecar: options.sidecar }),
      mirror: () => {
        mirrors += 1
        return mirror
      },
      counters: async () => ({ ...(await mirror.counters()), slow: 6 }),
      reply: resolve,
      end: () => {
        throw new Error('nobody asked for the end')
      },
      explain: thrown => thrown,
      log: text => reject(new Error(text)),
    })(value),
  )
  return { answer, told, mirrors }
}

describe('createAnswerer()', () => {
  it('answers "describe" without touching the capture', async () => {
    assert.deepEqual(await ask({ id: 1, ask: 'describe' }), {
      answer: { id: 1, value: facts },
      told: [],
      mirrors: 0,
    })
  })

  it('answers "subscribe" when the capture is in force', async () => {
    const { answer, told } = await ask({ id: 2, ask: 'subscribe', ports: [80], answers: 'heads' })
    assert.deepEqual(answer, { id: 2, value: {} })
    assert.deepEqual(told, [{ ports: [80], answers: 'heads', loopbackOnly: false }])
  })

  it('captures on loopback alone behind a mesh sidecar', async () => {
    const { told } = await ask(
      { id: 3, ask: 'subscribe', ports: [80], answers: 'none' },
      { sidecar: 'istio' },
    )
    assert.equal(told[0]?.loopbackOnly, true)
  })

  it('answers "counters" with all that was captured and lost', async () => {
    const { answer } = await ask({ id: 4, ask: 'counters' })
    assert.deepEqual(answer.value, {
      packets: 1,
      bytes: 2,
      ringDrops: 3,
      connections: 4,
      gaps: 5,
      unopened: 7,
      slow: 6,
    })
  })

  it('passes on a failure by its kind and values', async () => {
    const values = { verb: 'capture packets', errno: 'EPERM', right: 'CAP_NET_RAW' }
    const subscribe = () => Promise.reject(new Failure('right-missing', values))
    const { answer } = await ask({ id: 5, ask: 'subscribe', ports: [80], answers: 'none' }, { subscribe })
    assert.deepEqual(answer, { id: 5, failure: { kind: 'right-missing', values } })
  })

  it('answers with a failure of its own when something else is thrown', async () => {
    const subscribe = () => Promise.reject(new TypeError('oops'))
    const { answer } = await ask({ id: 6, ask: 'subscribe', ports: [80], answers: 'none' }, { subscribe })
    assert.equal(answer.failure?.kind, 'internal')
    assert.equal(answer.failure?.detail, 'oops')
  })

  it('refuses a request that it does not know, by its id', async () => {
    const { answer } = await ask({ id: 7, ask: 'dance' })
    assert.equal(answer.id, 7)
    assert.equal(answer.failure?.kind, 'frame-invalid')
  })

  it('has nothing to answer to what has no id', async () => {
    for (const value of [null, 'text', { ask: 'describe' }, { id: -1, ask: 'describe' }])
      await assert.rejects(ask(value), /without an id/)
  })
})
