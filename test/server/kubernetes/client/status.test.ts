// What an API server's refusal means, and when it is asked again.
import assert from 'node:assert/strict'
import { Failure } from '../../../../protocol/errors.ts'
import { StatusError } from '../../../../server/kubernetes/client/api.ts'
import { waitFor } from '../../../../server/kubernetes/client/conversation.ts'
import { statusFailure } from '../../../../server/kubernetes/client/status.ts'

const asks = { verb: 'list', resource: 'pods', namespace: 'shop' }

function judge(
  status: number,
  body: unknown,
  more: { contentType?: string; location?: string; verb?: string } = {},
) {
  return statusFailure(
    {
      status,
      contentType: more.contentType ?? 'application/json',
      body: typeof body === 'string' ? body : JSON.stringify({ kind: 'Status', ...(body as object) }),
      location: more.location,
    },
    { ...asks, verb: more.verb ?? asks.verb },
  )
}

describe('an answer that is no success', () => {
  it('of 404, 409, 410 and 422 is left to the caller, with its reason', () => {
    for (const code of [404, 409, 410, 422]) {
      const error = judge(code, { reason: 'Some', message: 'said', details: { name: 'p' } })
      assert.ok(error instanceof StatusError)
      assert.deepEqual(
        [error.status, error.reason, error.message, error.details],
        [code, 'Some', 'said', { name: 'p' }],
      )
    }
  })

  it('of 404 for a group of resources that the cluster does not have is left to the caller too', () => {
    const error = judge(404, '404 page not found\n')
    assert.ok(error instanceof StatusError && error.status === 404)
  })

  it('of 410 brings the token that goes on with the list', () => {
    const error = judge(410, { reason: 'Expired', metadata: { continue: 'abc' } })
    assert.equal(error instanceof StatusError && error.continueToken, 'abc')
  })

  it('of 403 for a missing permission names verb, resource and namespace as the cluster does', () => {
    const message =
      'jobs.batch is forbidden: User "ada" cannot create resource "jobs" in API group "batch" in the namespace "shop"'
    assert.equal(
      judge(403, { message }).message,
      'Cannot create jobs.batch in namespace "shop": 403, the permission is missing',
    )
  })

  it('of 403 for the whole cluster, a path, or impersonation says that', () => {
    const told = (message: string) => judge(403, { message }).message
    assert.equal(
      told(
        'nodes is forbidden: User "ada" cannot list resource "nodes" in API group "" at the cluster scope',
      ),
      'Cannot list nodes in the whole cluster: 403, the permission is missing',
    )
    assert.equal(
      told('forbidden: User "ada" cannot get path "/metrics"'),
      'Cannot get /metrics in the whole cluster: 403, the permission is missing',
    )
    assert.equal(
      told(
        'users "bob" is forbidden: User "ada" cannot impersonate resource "users" in API group "" at the cluster scope',
      ),
      'Cannot impersonate users in the whole cluster: 403, the permission is missing',
    )
  })

  it('of 403 from admission is left to the caller', () => {
    const message =
      'pods "x" is forbidden: violates PodSecurity "restricted:latest": host namespaces (hostPID=true)'
    const error = judge(403, { reason: 'Forbidden', message }, { verb: 'create' })
    assert.ok(error instanceof StatusError)
    assert.equal(error.status, 403)
  })

  it('of 403 for a reader in other words than those of a missing permission is told as it is', () => {
    const error = judge(403, { reason: 'Forbidden', message: 'clusters are read on weekdays' })
    assert.ok(error instanceof Failure && error.kind === 'cluster-failed')
    assert.equal(
      error.message,
      'Cannot list pods in namespace "shop": the cluster answered 403 (clusters are read on weekdays)',
    )
  })

  it('of 500 and others carries status and text', () => {
    const error = judge(500, { message: 'etcdserver: request timed out' })
    assert.equal(
      error.message,
      'Cannot list pods in namespace "shop": the cluster answered 500 (etcdserver: request timed out)',
    )
    assert.ok(error instanceof Failure && error.values.status === 500)
  })

  it('that is not from Kubernetes says what it is: a web page, a redirection, plain text, nothing', () => {
    const html = judge(502, '<html><head><title>502 Bad Gateway</title></head></html>', {
      contentType: 'text/html',
    })
    assert.match(html.message, /answered 502 \(a web page "502 Bad Gateway" and not Kubernetes: a proxy/)
    assert.match(
      judge(302, '', { location: 'https://login.example/x' }).message,
      /it points to "https:\/\/login\.example\/x"/,
    )
    assert.match(judge(404, 'no such page').message, /answered 404 \(no such page\)/)
    assert.match(judge(503, '').message, /answered 503 \(nothing more than the status 503\)/)
    assert.match(
      judge(400, 'Client sent an HTTP request to an HTTPS server.\n').message,
      /it speaks TLS; write "https:\/\/" for its server/,
    )
  })
})

describe('waitFor()', () => {
  it('asks again for what only reads after 429 and 5xx, at the time the server states, else ever later', () => {
    assert.equal(waitFor(503, '2', 1, true), 2_000)
    assert.equal(waitFor(503, undefined, 1, true), 500)
    assert.equal(waitFor(500, undefined, 2, true), 1_000)
    assert.equal(waitFor(429, '3600', 1, true), 10_000)
    assert.equal(waitFor(429, undefined, 1, true), 500)
  })

  it('asks again for what changes something only after 429 with a time, since then nothing was done', () => {
    assert.equal(waitFor(429, '1', 1, false), 1_000)
    assert.equal(waitFor(429, undefined, 1, false), undefined)
    assert.equal(waitFor(503, '1', 1, false), undefined)
  })

  it('does not ask again for what was refused', () => {
    for (const status of [400, 401, 403, 404, 409, 501])
      assert.equal(waitFor(status, undefined, 1, true), undefined)
  })
})
