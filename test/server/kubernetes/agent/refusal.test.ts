// What a cluster's refusal to make an agent means, and what the user can do about it.
import assert from 'node:assert/strict'
import { Failure } from '../../../../protocol/errors.ts'
import { type Refused, refusalOf } from '../../../../server/kubernetes/agent/refusal.ts'
import { createFailure } from '../../../../server/kubernetes/agent/start-job.ts'

const inJob = { namespace: 'shop', ephemeral: false }
const fixOf = (text: string, refused: Refused = inJob) => refusalOf(text, refused).fix

describe('refusalOf()', () => {
  it('takes the name of the object off, which the reader did not choose', () => {
    const text =
      'Error creating: pods "standin-agent-abc-" is forbidden: no PriorityClass with name x was found'
    assert.equal(refusalOf(text, inJob).reason, 'no PriorityClass with name x was found')
  })
  it('keeps the whole text of a webhook, and bounds one that is a page long', () => {
    const text = 'admission webhook "policy.example.com" denied the request: no root here'
    assert.equal(refusalOf(text, inJob).reason, text)
    assert.ok(refusalOf(`${text}${' x'.repeat(5_000)}`, inJob).reason.length < 1_100)
  })
  it('tells by what a webhook says, not by how it is called, what it asks for', () => {
    const says = (text: string) =>
      fixOf(`admission webhook "hostpid-labels.example.com" denied the request: ${text}`)
    assert.equal(says('hostPID is forbidden'), 'Set agent.ephemeral to true, which needs no hostPID')
    assert.match(says('host namespaces and added capabilities are forbidden'), /^Set agent\.namespace/)
    assert.equal(says('label team is missing'), 'Set agent.labels to what it asks for')
    assert.equal(says('annotation owner is missing'), 'Set agent.annotations to what it asks for')
    assert.equal(says('cpu limits are required'), 'Set agent.resources to what it asks for')
    assert.equal(says('only images of registry.example.com'), 'Set agent.image to one that it allows')
    assert.match(says('nobody may'), /^Set what it asks for under "agent"/)
  })
  it('offers an ephemeral container nothing that only a Job can do', () => {
    const refused = { namespace: 'shop', ephemeral: true }
    const text =
      'pods "web" is forbidden: violates PodSecurity "baseline:latest": non-default capabilities (...)'
    assert.match(fixOf(text, refused), /^Unset agent\.ephemeral, and set agent\.namespace/)
    assert.doesNotMatch(
      fixOf('admission webhook "x" denied the request: no hostPID', refused),
      /ephemeral to true/,
    )
  })
  it('tells an agent without a target of no other namespace for its agent, and of no ephemeral container', () => {
    const refused = { namespace: 'shop', ephemeral: false, targetless: true }
    const violates = 'pods "x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true'
    assert.match(fixOf(violates, refused), /^Leave agent\.security_context out/)
    const scc = 'pods "x-" is forbidden: unable to validate against any security context constraint: []'
    assert.match(fixOf(scc, refused), /^Set agent\.security_context to \{"runAsUser": null/)
    for (const text of [
      'admission webhook "x" denied the request: hostPID is forbidden',
      'admission webhook "x" denied the request: nobody may',
      'pods "x" is forbidden: exceeded quota: small',
      'Internal error occurred: failed calling webhook "x": connection refused',
      'unable to create new content in namespace shop because it is being terminated',
    ]) {
      assert.match(fixOf(text, refused), /^[A-Z]/)
      assert.doesNotMatch(fixOf(text, refused), /agent\.namespace|agent\.ephemeral/)
    }
  })
  it('knows the refusal of OpenShift', () => {
    const text =
      'pods "x-" is forbidden: unable to validate against any security context constraint: [provider ...]'
    assert.match(fixOf(text), /oc adm policy add-scc-to-user privileged -z NAME -n shop/)
  })
  it('waits for a webhook that does not answer and for a namespace that is just made, and for nothing else that is said no to', () => {
    const hopeless = (text: string) => refusalOf(text, inJob).hopeless
    assert.equal(hopeless('Internal error occurred: failed calling webhook "x": connection refused'), false)
    assert.equal(
      hopeless('error looking up service account shop/default: serviceaccount "default" not found'),
      false,
    )
    assert.equal(hopeless('error looking up service account shop/x: serviceaccount "x" not found'), true)
    assert.equal(hopeless('admission webhook "x" denied the request: no'), true)
    assert.equal(
      hopeless('unable to create new content in namespace shop because it is being terminated'),
      true,
    )
  })
})

describe('createFailure()', () => {
  const answered = (status: number, reason: string) =>
    new Failure('cluster-failed', { verb: 'create', resource: 'jobs.batch', where: '', status, reason })
  const down = 'Internal error occurred: failed calling webhook "policy.shop": connect: connection refused'

  it('names a webhook on Jobs that does not answer, which may be back', () => {
    const failure = createFailure(answered(500, down), 'shop') as Failure
    assert.equal(failure.kind, 'agent-refused')
    assert.match(failure.message, /failed calling webhook "policy\.shop"/)
    assert.match(failure.data.fix, /^Mend the admission webhook/)
    assert.equal(failure.data.retryable, true)
  })
  it('names a value that is no value of a Job, which stays', () => {
    const failure = createFailure(
      answered(400, 'strict decoding error: unknown field "zork"'),
      'shop',
    ) as Failure
    assert.equal(failure.kind, 'agent-refused')
    assert.equal(failure.data.retryable, false)
  })
  it('leaves a cluster that fails otherwise alone', () => {
    const failed = answered(500, 'etcdserver: request timed out')
    assert.equal(createFailure(failed, 'shop'), failed)
  })
})
