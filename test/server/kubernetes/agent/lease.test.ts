// The lease of an agent's Job: how long it lasts by the clocks of the cluster, and that a clock that stood still loses none of it.
import assert from 'node:assert/strict'
import { uptime } from 'node:os'
import type { V1Job } from '@kubernetes/client-node'
import { ageToldBy, deadlineAt, Lease } from '../../../../server/kubernetes/agent/lease.ts'
import type { Api, ApiRequest } from '../../../../server/kubernetes/client/api.ts'

const silent = { level: 'error' as const, write() {}, close() {} }
const job = { namespace: 'shop', name: 'standin-agent-x', uid: 'u' }

function answered(started: string, changed: string): V1Job {
  const time = changed as unknown as Date
  const managedFields = [
    { manager: 'kube-controller-manager', time: '2030-01-01T00:00:00Z' as unknown as Date },
    { manager: 'standin', time },
  ]
  return { metadata: { managedFields }, status: { startTime: started as unknown as Date } }
}

describe('the lease of a Job', () => {
  it('lasts 600 s from the moment it is extended, counted from the beginning of the Job', () => {
    assert.equal(deadlineAt({ seconds: 0, atUptime: 1_000 }, 1_000), 600)
    assert.equal(deadlineAt({ seconds: 180, atUptime: 1_000 }, 1_180.5), 961)
  })
  it('takes the age of the Job from the clocks of the cluster', () => {
    assert.equal(ageToldBy(answered('2026-01-01T00:00:00Z', '2026-01-01T00:03:00Z')), 180)
    assert.equal(ageToldBy({}), undefined)
  })
  it('is extended a second time when the clock of this machine stood still meanwhile', async () => {
    const deadlines: number[] = []
    const api = {
      async request(request: ApiRequest) {
        const { metadata, spec } = request.body as {
          metadata: object
          spec: { activeDeadlineSeconds: number }
        }
        assert.deepEqual(metadata, { uid: 'u' })
        deadlines.push(spec.activeDeadlineSeconds)
        return answered('2026-01-01T00:00:00Z', '2026-01-01T00:09:30Z')
      },
    } as unknown as Api
    const lease = new Lease(api, job, silent, { seconds: 0, atUptime: uptime() })
    await lease.renew()
    lease.end()
    const [first = 0, second = 0] = deadlines
    assert.ok(first >= 600 && first <= 602, `the first was ${first}`)
    assert.ok(second >= 1_170 && second <= 1_172, `the second was ${second}`)
  })
})
