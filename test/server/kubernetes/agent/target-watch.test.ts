// When a target that is stood in for is lost: deleted, ended, replaced or restarted.
import assert from 'node:assert/strict'
import type { V1Pod } from '@kubernetes/client-node'
import { lossNow, lossOf, type Place } from '../../../../server/kubernetes/agent/target-watch.ts'
import type { Api } from '../../../../server/kubernetes/client/api.ts'

function pod(
  more: { uid?: string; id?: string; running?: boolean; deleted?: boolean; phase?: string } = {},
): V1Pod {
  const { uid = 'u', id = 'c1', running = true, deleted = false, phase = 'Running' } = more
  const state = running ? { running: {} } : { terminated: { exitCode: 0 } }
  return {
    metadata: { name: 'web', uid, ...(deleted ? { deletionTimestamp: new Date(0) } : {}) },
    status: {
      phase,
      containerStatuses: [
        {
          name: 'app',
          containerID: `containerd://${id}`,
          state,
          image: '',
          imageID: '',
          ready: true,
          restartCount: 0,
        },
      ],
    },
  }
}
const place: Place = { namespace: 'shop', pod: pod(), container: { name: 'app', id: 'c1' } }

describe('lossOf()', () => {
  it('finds nothing lost while the chosen container runs', () => {
    assert.equal(lossOf(pod(), place), undefined)
  })
  it('tells a deleted, an ended and a replaced pod, and an ended or restarted container', () => {
    assert.equal(lossOf(pod({ deleted: true }), place), 'was deleted')
    assert.equal(lossOf(pod({ phase: 'Failed' }), place), 'ended')
    assert.equal(lossOf(pod({ uid: 'v' }), place), 'was replaced by another of its name')
    assert.equal(lossOf(pod({ running: false }), place), 'ended its container "app"')
    assert.equal(lossOf(pod({ id: 'c2' }), place), 'restarted its container "app"')
  })
})

describe('lossNow()', () => {
  const { signal } = new AbortController()
  const answering = (request: () => Promise<object>) => ({ request }) as unknown as Api

  it('tells what the cluster says at this moment', async () => {
    const restarted = answering(async () => ({ items: [pod({ id: 'c2' })] }))
    assert.equal(await lossNow(restarted, place, signal), 'restarted its container "app"')
    const empty = answering(async () => ({ items: [] }))
    assert.equal(await lossNow(empty, place, signal), 'was deleted')
  })
  it('knows of none when the cluster does not answer', async () => {
    const silent = answering(() => Promise.reject(new Error('silent')))
    assert.equal(await lossNow(silent, place, signal), undefined)
  })
})
