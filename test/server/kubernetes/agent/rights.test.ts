// Which permissions an agent needs in which namespace, and the first of them that is missing.
import assert from 'node:assert/strict'
import { agentRights, demandRights, rightName } from '../../../../server/kubernetes/agent/rights.ts'
import type { Api, ApiRequest } from '../../../../server/kubernetes/client/api.ts'

const names = (rights: ReturnType<typeof agentRights>) =>
  rights.map(right => `${right.verb} ${rightName(right)} in ${right.namespace}`)

describe('agentRights()', () => {
  it('are those of making, extending, watching and ending a Job, and of reaching its pod', () => {
    assert.deepEqual(names(agentRights({}, 'shop')), [
      'create jobs.batch in shop',
      'patch jobs.batch in shop',
      'delete jobs.batch in shop',
      'list pods in shop',
      'watch pods in shop',
      'list events in shop',
      'watch events in shop',
      'get pods/portforward in shop',
      'create pods/portforward in shop',
    ])
  })
  it("are asked for in the agent's namespace, and for the target's pods in the target's", () => {
    const asked = names(agentRights({ namespace: 'tools' }, 'shop'))
    assert.ok(asked.includes('create jobs.batch in tools'))
    assert.ok(asked.includes('watch pods in shop') && asked.includes('watch pods in tools'))
    assert.ok(!asked.includes('list events in shop'))
  })
  it('of an ephemeral container are those of the pod alone', () => {
    const asked = names(agentRights({ ephemeral: true }, 'shop'))
    assert.ok(asked.includes('patch pods/ephemeralcontainers in shop'))
    assert.ok(!asked.some(name => name.includes('jobs')))
  })
})

describe('demandRights()', () => {
  const answering = (allowed: (verb: string) => boolean) =>
    ({
      async request({ body }: ApiRequest) {
        const { verb } = (body as { spec: { resourceAttributes: { verb: string } } }).spec.resourceAttributes
        return { status: { allowed: allowed(verb) } }
      },
    }) as unknown as Api
  const { signal } = new AbortController()

  it('names the first that is missing', async () => {
    const denied = demandRights(
      answering(verb => verb !== 'delete'),
      agentRights({}, 'shop'),
      signal,
    )
    await assert.rejects(denied, {
      kind: 'cluster-forbidden',
      message: 'Cannot delete jobs.batch in namespace "shop": 403, the permission is missing',
    })
  })
  it('is content when all are there', async () => {
    await demandRights(
      answering(() => true),
      agentRights({}, 'shop'),
      signal,
    )
  })
})
