// What a watch tells of objects after overlaps and gaps: each change once.
import assert from 'node:assert/strict'
import type { KubeObject, WatchEvent } from '../../../../server/kubernetes/client/api.ts'
import { KnownObjects } from '../../../../server/kubernetes/client/known-objects.ts'

const pod = (name: string, resourceVersion: string, uid = `uid-${name}`): KubeObject => ({
  metadata: { name, uid, resourceVersion },
})
const told = (events: (WatchEvent<KubeObject> | undefined)[]) =>
  events.map(
    event =>
      event && `${event.type} ${event.object.metadata?.name}@${event.object.metadata?.resourceVersion}`,
  )

describe('what a watch has told', () => {
  it('is told once, when a page and the events after it overlap', () => {
    const known = new KnownObjects()
    assert.deepEqual(told(known.addPage([pod('a', '1'), pod('b', '7')])), ['ADDED a@1', 'ADDED b@7'])
    known.complete()
    assert.equal(known.take({ type: 'ADDED', object: pod('b', '7') }), undefined)
    assert.deepEqual(told([known.take({ type: 'MODIFIED', object: pod('a', '8') })]), ['MODIFIED a@8'])
  })

  it('is compared with a list after a gap: gone, made, changed and unchanged', () => {
    const known = new KnownObjects()
    known.addPage([pod('gone', '1'), pod('same', '2'), pod('changed', '3')])
    known.complete()
    assert.deepEqual(told(known.compare([pod('same', '2'), pod('changed', '9'), pod('made', '8')])), [
      'DELETED gone@1',
      'MODIFIED changed@9',
      'ADDED made@8',
    ])
  })

  it('tells an object that took the name of another as gone, then made', () => {
    const known = new KnownObjects()
    known.addPage([pod('a', '1', 'first')])
    known.complete()
    assert.deepEqual(told(known.compare([pod('a', '5', 'second')])), ['DELETED a@1', 'ADDED a@5'])
    assert.equal(known.take({ type: 'DELETED', object: pod('a', '3', 'first') }), undefined)
    assert.equal(known.take({ type: 'ADDED', object: pod('a', '5', 'second') }), undefined)
  })

  it('passes on what it cannot judge, when the watch began in the middle', () => {
    const known = new KnownObjects()
    assert.deepEqual(told([known.take({ type: 'MODIFIED', object: pod('a', '2') })]), ['MODIFIED a@2'])
    assert.deepEqual(told([known.take({ type: 'DELETED', object: pod('b', '3') })]), ['DELETED b@3'])
  })
})
