// How long a Job is tried to be deleted, and what is said when it is left.
import assert from 'node:assert/strict'
import { Failure } from '../../../../protocol/errors.ts'
import { removeJob } from '../../../../server/kubernetes/agent/remove.ts'
import { type Api, type ApiRequest, StatusError } from '../../../../server/kubernetes/client/api.ts'

const job = { namespace: 'shop', name: 'standin-agent-x', uid: 'u' }

async function removed(request: (request: ApiRequest) => Promise<object>) {
  const told: string[] = []
  const tell = (level: string, text: string) => void told.push(`${level}: ${text}`)
  const outcome = await removeJob({ request } as unknown as Api, job, { tell, graceMs: 60_000 })
  return { outcome, told }
}

describe('removeJob()', () => {
  it('says nothing about a Job that it deleted, or that was gone', async () => {
    assert.deepEqual(await removed(async () => ({})), { outcome: 'gone', told: [] })
    const absent = new StatusError(404, 'NotFound', 'not found', { verb: 'delete', resource: 'jobs.batch' })
    assert.deepEqual(await removed(() => Promise.reject(absent)), { outcome: 'gone', told: [] })
  })
  it('tells the user of one that is left, why, and when it ends by itself', async () => {
    const forbidden = new Failure('cluster-forbidden', {
      verb: 'delete',
      resource: 'jobs.batch',
      where: 'in namespace "shop"',
    })
    assert.deepEqual(await removed(() => Promise.reject(forbidden)), {
      outcome: 'left',
      told: [
        'warning: Job standin-agent-x in namespace shop is left, and its agent ends by itself 60 s after the session, and the Job at the latest 10 min after it: Cannot delete jobs.batch in namespace "shop": 403, the permission is missing',
      ],
    })
  })
})
