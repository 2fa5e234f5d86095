// Why an agent does not start, told of what the cluster says about its Job, its pod and its image.
import assert from 'node:assert/strict'
import { explain, tooSlow } from '../../../../server/kubernetes/agent/explain.ts'
import { reasonsOfNode } from '../../../../server/kubernetes/agent/explain-scheduling.ts'
import type { Circumstances, Sight } from '../../../../server/kubernetes/agent/sight.ts'
import { about, captured } from './captured.ts'

function atOnce(name: string, more: Partial<Circumstances> = {}) {
  const { step, failure } = explain(captured(name), { ...about, ...more })
  assert.ok(failure !== undefined, `${name} is waited for`)
  return { step, kind: failure.kind, message: failure.message, fix: failure.data.fix }
}

function inTime(name: string, more: Partial<Circumstances> = {}) {
  const explanation = explain(captured(name), { ...about, ...more })
  assert.equal(explanation.failure, undefined, `${name} fails at once`)
  const { kind, message: failure, data } = tooSlow(explanation, 60)
  const { step, message } = explanation
  return { step, message, kind, failure, fix: data.fix }
}

describe('explain() of an agent whose pod is refused', () => {
  it('carries what PodSecurity refuses, and names a namespace that would allow it', () => {
    const told = atOnce('baseline')
    assert.equal(told.step, 'job')
    assert.equal(told.kind, 'agent-refused')
    assert.match(
      told.message,
      /violates PodSecurity "baseline:latest": .*"SYS_PTRACE".*host namespaces \(hostPID=true\)/,
    )
    assert.match(told.fix, /Set agent\.namespace .*pod-security\.kubernetes\.io\/enforce=privileged/)
    assert.match(atOnce('restricted').message, /runAsUser=0 .*must not set runAsUser=0\)$/)
  })
  it('names agent.ephemeral when a policy minds hostPID alone', () => {
    const told = atOnce('policyPod')
    assert.match(told.message, /denied request: hostPID is not allowed$/)
    assert.equal(told.fix, 'Set agent.ephemeral to true, which needs no hostPID')
  })
  it('names the key of the configuration for a service account, a priority class and resources', () => {
    assert.match(atOnce('noServiceAccount').message, /serviceaccount "nobody" not found$/)
    assert.match(atOnce('noServiceAccount').fix, /^Set agent\.service_account /)
    assert.match(atOnce('noPriorityClass').fix, /^Set agent\.priority_class /)
    assert.match(atOnce('limitRange').message, /minimum cpu usage per Container is 100m, but request is 10m$/)
    assert.match(atOnce('limitRange').fix, /^Set agent\.resources within the LimitRange/)
    assert.match(atOnce('quotaUnspecified').fix, /^Set agent\.resources /)
  })
  it('waits for quota, and says so', () => {
    const told = inTime('quota')
    assert.equal(told.step, 'job')
    assert.match(told.message, /exceeded quota: small, requested: pods=1, used: pods=0, limited: pods=0$/)
    assert.equal(told.kind, 'agent-refused')
    assert.match(told.fix, /kubectl describe resourcequota -n shop/)
  })
  it('says that it waits for the pod when nothing is told', () => {
    assert.equal(explain({ events: [] }, about).message, 'waiting for the pod of its Job')
  })
})

describe('explain() of an agent that is not scheduled', () => {
  it('says what the node lacks, and waits for it', () => {
    const told = inTime('noCpu')
    assert.equal(told.step, 'schedule')
    assert.equal(told.message, 'node "node-a": not enough cpu (Insufficient cpu)')
    assert.equal(told.kind, 'agent-not-scheduled')
    assert.match(told.failure, /^Cannot start agent on node "node-a": not enough cpu/)
    assert.equal(told.fix, 'Free room on that node, or lower agent.resources.requests')
  })
  it('fails at once when agent.node_selector does not fit the node of the target', () => {
    const told = atOnce('selectorMismatch', { selects: true })
    assert.equal(told.kind, 'agent-not-scheduled')
    assert.equal(told.fix, 'Take agent.node_selector away')
  })
  it('waits for any node without a target, and says what they all lack', () => {
    const anywhere = { node: '', targetless: true }
    const told = inTime('noCpu', anywhere)
    assert.equal(told.message, 'any node: not enough cpu (Insufficient cpu)')
    assert.equal(told.failure, 'Cannot start agent on any node: not enough cpu (Insufficient cpu)')
    assert.equal(told.fix, 'Free room on a node, or lower agent.resources.requests')
    const mismatch = inTime('selectorMismatch', { ...anywhere, selects: true })
    assert.equal(mismatch.failure, 'Cannot start agent on any node: agent.node_selector fits no Linux node')
    assert.equal(mismatch.fix, 'Take agent.node_selector away')
  })
  it('says that the node is gone when no selector of the user is in the way', () => {
    assert.match(inTime('nodeGone').failure, /the scheduler does not know it any more$/)
  })
  it('takes what concerns the one node out of what the scheduler says of all', () => {
    const nodes = '0/50 nodes are available: '
    const rest = '. preemption: 0/50 nodes are available: 50 Preemption is not helpful for scheduling.'
    const others = "49 node(s) didn't satisfy plugin(s) [NodeAffinity]"
    assert.deepEqual(reasonsOfNode(`${nodes}1 Insufficient memory, ${others}${rest}`), [
      'not enough memory (Insufficient memory)',
    ])
    assert.deepEqual(reasonsOfNode(`${nodes}1 node(s) had untolerated taint {gpu: a, b}, ${others}${rest}`), [
      'had untolerated taint {gpu: a, b}',
    ])
    assert.deepEqual(
      reasonsOfNode(`${nodes}1 Too many pods, ${others}. no new claims to deallocate${rest}`),
      ['it has as many pods as it may (Too many pods)'],
    )
    assert.deepEqual(reasonsOfNode(`${nodes}50 node(s) didn't match Pod's node affinity/selector${rest}`), [])
    assert.deepEqual(reasonsOfNode('no nodes available to schedule pods'), [
      'no nodes available to schedule pods',
    ])
  })
})

describe('explain() of an image', () => {
  it('says that it is pulled, for as long as that takes', () => {
    const told = inTime('imageSlow', { image: 'localhost:5999/slow/x:1' })
    assert.equal(told.step, 'pull')
    assert.equal(told.message, 'pulling image "localhost:5999/slow/x:1"')
    assert.equal(told.kind, 'agent-slow')
  })
  it('fails at once for one that does not exist, needs a login, is not there or is no name', () => {
    const absent = atOnce('imageAbsent', { image: 'localhost:5999/none:1' })
    assert.equal(absent.kind, 'agent-image-failed')
    assert.match(absent.message, /: localhost:5999\/none:1: not found$/)
    assert.match(atOnce('imagePrivate', { image: 'localhost:5999/private/x:1' }).message, /401 Unauthorized$/)
    assert.match(atOnce('imageNever').message, /agent\.image_pull_policy is "Never"$/)
    assert.match(atOnce('imageMisnamed', { image: '::bad' }).message, /that is no name of an image$/)
  })
  it('waits for a registry that is away, and names the cause at the end', () => {
    const told = inTime('registryAway', { image: 'localhost:5999/none:1' })
    assert.equal(told.kind, 'agent-image-failed')
    assert.equal(
      told.failure,
      'Cannot pull image "localhost:5999/none:1" of the agent: Head "http://localhost:5999/v2/none/manifests/1": dial tcp 127.0.0.1:5999: connect: connection refused',
    )
  })
})

describe('explain() of a container', () => {
  it('gives the exit code and the last lines of one that crashed', () => {
    const told = atOnce('crashed')
    assert.equal(told.kind, 'agent-crashed')
    assert.match(told.message, /ended with exit code 3$/)
    assert.match(told.fix, /what it said last: no such thing$/)
  })
  it('says that the image has no Node.js, or that memory was short', () => {
    assert.match(atOnce('noNode').message, /exec: "nodezzz": executable file not found in \$PATH$/)
    assert.match(
      atOnce('outOfMemory').message,
      /OOMKilled, it needed more memory than agent\.resources\.limits$/,
    )
  })
  it('fails at once for a security context that the node cannot follow', () => {
    assert.match(atOnce('nonRoot').message, /container's runAsUser breaks non-root policy$/)
    assert.equal(atOnce('nonRoot').fix, 'Correct agent.security_context and agent.image')
  })
  it('says that a volume cannot be mounted, and waits for it', () => {
    const told = inTime('mount')
    assert.equal(told.step, 'start')
    assert.match(
      told.failure,
      /^Cannot start agent within 60 s: MountVolume.SetUp failed for volume "s" : secret "none" not found$/,
    )
  })
  it('says of a node that does nothing that it has not taken the pod up', () => {
    const { pod } = captured('imageSlow')
    const status = { ...pod?.status, containerStatuses: [] }
    const sight: Sight = { pod: { ...pod!, status }, events: [] }
    assert.equal(explain(sight, about).message, 'waiting for node "node-a" to take it up')
  })
  it('says of a pod that the node refused why it did', () => {
    const status = { phase: 'Failed', reason: 'OutOfcpu', message: 'Node did not have enough resource: cpu' }
    const { failure } = explain({ pod: { status }, events: [] }, about)
    assert.equal(
      failure?.message,
      'Cannot start agent on node "node-a": OutOfcpu: Node did not have enough resource: cpu',
    )
  })
  it('goes on to the delivery when it runs', () => {
    const container = { name: 'standin-agent', state: { running: {} } } as NonNullable<Sight['container']>
    assert.equal(explain({ pod: {}, container, events: [] }, about).step, 'deliver')
  })
  it('goes on when an event says that the container was started, before its status does', () => {
    const step = (fieldPath: string, reason = 'Started') => {
      const events = [{ reason, involvedObject: { kind: 'Pod', fieldPath }, metadata: {} }]
      const status = { conditions: [{ type: 'PodScheduled', status: 'True' }] }
      return explain({ pod: { status }, events }, about).step
    }
    assert.equal(step('spec.containers{standin-agent}'), 'deliver')
    assert.equal(step('spec.ephemeralContainers{standin-agent-a}'), 'deliver')
    assert.equal(step('spec.containers{injected}'), 'start')
    assert.equal(step('spec.containers{standin-agent}', 'Created'), 'start')
  })
})
