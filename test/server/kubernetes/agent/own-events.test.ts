// Which events of a pod are about our ephemeral container, and are of this start.
import assert from 'node:assert/strict'
import type { CoreV1Event, V1Pod } from '@kubernetes/client-node'
import { Follow } from '../../../../server/kubernetes/agent/follow.ts'
import { changedMs, ownEvents } from '../../../../server/kubernetes/agent/own-events.ts'
import type { Api, WatchEvent } from '../../../../server/kubernetes/client/api.ts'
import { openLog } from '../../../../server/log.ts'

/** The client library's type says Date, the API server's JSON is text. */
const at = (text: string) => text as unknown as Date
const event = (reason: string, time: string, fieldPath?: string): CoreV1Event => ({
  metadata: { name: reason, uid: `${reason} ${fieldPath}` },
  involvedObject: { kind: 'Pod', ...(fieldPath === undefined ? {} : { fieldPath }) },
  reason,
  lastTimestamp: at(time),
})
const began = '2026-03-01T12:00:00Z'
const stale = event('FailedMount', '2026-03-01T11:20:00Z')
const foreign = event('Pulling', '2026-03-01T12:00:05Z', 'spec.containers{web}')
const earlier = event('Pulled', '2026-03-01T11:59:00Z', 'spec.ephemeralContainers{standin-agent-old}')
const own = event('Pulling', '2026-03-01T12:00:01Z', 'spec.ephemeralContainers{standin-agent-x}')
const fresh = event('FailedSync', '2026-03-01T12:00:03Z')
const all = [stale, foreign, earlier, own, fresh]

describe('ownEvents()', () => {
  it('are those of the container, and those of the pod since the container was added', () => {
    const sinceMs = Date.parse(began)
    assert.deepEqual(ownEvents(all, { container: 'standin-agent-x', sinceMs }), [own, fresh])
  })
  it('are those of the container alone until it is known when it was added', () => {
    assert.deepEqual(ownEvents(all, { container: 'standin-agent-x', sinceMs: undefined }), [own])
  })
})

describe('changedMs()', () => {
  it('is the last change of ours', () => {
    const managedFields = [
      { manager: 'standin', time: at('2026-03-01T10:00:00Z') },
      { manager: 'standin', time: at(began) },
      { manager: 'kubelet', time: at('2026-03-01T12:30:00Z') },
    ]
    assert.equal(changedMs({ metadata: { managedFields } } as V1Pod), Date.parse(began))
    assert.equal(changedMs({}), undefined)
  })
})

describe('Follow of an ephemeral container', () => {
  it('does not see what other containers and other times of the pod are about', async () => {
    const pod = { metadata: { name: 'shop', uid: 'u' } }
    const api = {
      async *watch({
        path,
        signal,
      }: {
        path: string
        signal: AbortSignal
      }): AsyncGenerator<WatchEvent<object>> {
        const objects = path.endsWith('/events') ? all : [pod]
        for (const object of objects) yield { type: 'ADDED', object }
        await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
      },
    } as unknown as Api
    const selector = { fieldSelector: 'metadata.name=shop' }
    const follow = new Follow(
      api,
      { namespace: 'shop', selector, container: 'standin-agent-x' },
      openLog({ level: 'error' }),
    )
    follow.since(Date.parse(began))
    while (follow.sight.events.length < 2) await follow.changed(1_000)
    assert.deepEqual(follow.sight.events, [own, fresh])
    follow.close()
  })
})
