// The agent's Job: its rights, its place, its bounds, and what the configuration changes of it.
import assert from 'node:assert/strict'
import type { V1PodSpec } from '@kubernetes/client-node'
import type { AgentConfig } from '../../../../protocol/config.ts'
import { agentJob } from '../../../../server/kubernetes/agent/job.ts'
import { agentName } from '../../../../server/kubernetes/agent/marks.ts'

function made(config: AgentConfig = {}) {
  const job = agentJob({ name: 'standin-agent-x', node: 'node-a', command: ['node', '-e', '1'], config })
  const { template } = job.spec!
  const pod = template.spec!
  return { job, template, pod, container: pod.containers[0]! }
}

describe('agentJob()', () => {
  it('has exactly the rights that the agent needs, and no more', () => {
    const { pod, container } = made()
    assert.deepEqual(container.securityContext?.capabilities, {
      drop: ['ALL'],
      add: ['SYS_ADMIN', 'SYS_PTRACE', 'NET_ADMIN', 'NET_RAW', 'BPF'],
    })
    assert.equal(container.securityContext?.privileged, false)
    assert.equal(container.securityContext?.allowPrivilegeEscalation, false)
    assert.equal(container.securityContext?.readOnlyRootFilesystem, true)
    assert.equal(pod.automountServiceAccountToken, false)
    assert.equal(pod.enableServiceLinks, false)
    assert.equal(pod.hostPID, true)
    assert.equal(pod.hostNetwork, undefined)
    assert.deepEqual(
      pod.volumes?.map(({ name, ...source }) => Object.keys(source)),
      [['emptyDir']],
    )
    assert.equal(container.env, undefined)
    assert.equal(container.envFrom, undefined)
    assert.equal(container.ports, undefined)
    assert.equal(container.readinessProbe ?? container.livenessProbe, undefined)
  })
  it('ends by itself: tried once, removed when finished, with a lease', () => {
    const { spec } = made().job
    assert.equal(spec?.backoffLimit, 0)
    assert.equal(spec?.template.spec?.restartPolicy, 'Never')
    assert.equal(spec?.ttlSecondsAfterFinished, 0)
    assert.equal(spec?.activeDeadlineSeconds, 600)
  })
  it('has a lease that is longer than starting may take', () => {
    assert.equal(made({ startup_timeout: 1_800 }).job.spec?.activeDeadlineSeconds, 1_860)
  })
  it('is bound to the node of the target by its name, whatever taints it has', () => {
    const { affinity, tolerations, nodeName } = made().pod
    assert.deepEqual(
      affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms,
      [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['node-a'] }] }],
    )
    assert.deepEqual(tolerations, [{ operator: 'Exists' }])
    assert.equal(nodeName, undefined)
  })
  it('keeps meshes from putting a sidecar beside it', () => {
    const { labels = {}, annotations = {} } = made().template.metadata!
    assert.equal(labels['sidecar.istio.io/inject'], 'false')
    assert.equal(labels['kuma.io/sidecar-injection'], 'disabled')
    assert.equal(annotations['sidecar.istio.io/inject'], 'false')
    assert.equal(annotations['linkerd.io/inject'], 'disabled')
    assert.equal(annotations['consul.hashicorp.com/connect-inject'], 'false')
  })
  it('takes everything of the configuration that Kubernetes defines', () => {
    const { job, template, pod, container } = made({
      image: 'registry.example.com/node:22',
      image_pull_policy: 'Always',
      image_pull_secrets: [{ name: 'registry' }],
      labels: { team: 'shop' },
      annotations: { owner: 'ada' },
      node_selector: { disk: 'ssd' },
      tolerations: [{ key: 'gpu', operator: 'Exists' }],
      resources: { requests: { cpu: '5m' }, limits: { cpu: 1, memory: '256Mi' } },
      priority_class: 'low',
      service_account: 'debugger',
      ttl: 30,
    })
    assert.equal(container.image, 'registry.example.com/node:22')
    assert.equal(container.imagePullPolicy, 'Always')
    assert.deepEqual(pod.imagePullSecrets, [{ name: 'registry' }])
    assert.equal(job.metadata?.labels?.team, 'shop')
    assert.equal(template.metadata?.labels?.team, 'shop')
    assert.equal(template.metadata?.annotations?.owner, 'ada')
    assert.deepEqual(pod.nodeSelector, { disk: 'ssd' })
    assert.deepEqual(pod.tolerations, [{ key: 'gpu', operator: 'Exists' }])
    assert.deepEqual(container.resources, { requests: { cpu: '5m' }, limits: { cpu: '1', memory: '256Mi' } })
    assert.equal(pod.priorityClassName, 'low')
    assert.equal(pod.serviceAccountName, 'debugger')
    assert.equal(job.spec?.ttlSecondsAfterFinished, 30)
  })
  it('lays security_context over its own, key by key', () => {
    const profile = { type: 'Unconfined' }
    const { securityContext } = made({ security_context: { seccompProfile: profile } }).container
    assert.deepEqual(securityContext?.seccompProfile, profile)
    assert.equal(securityContext?.privileged, false)
  })
  it('keeps its own labels whatever the user adds, for it is found and ended by them', () => {
    const { job } = made({
      labels: { 'app.kubernetes.io/name': 'mine', 'app.kubernetes.io/instance': 'mine' },
    })
    assert.equal(job.metadata?.labels?.['app.kubernetes.io/name'], 'standin-agent')
    assert.equal(job.metadata?.labels?.['app.kubernetes.io/instance'], 'standin-agent-x')
  })
})

describe('agentJob() without a target', () => {
  const withoutTarget = (config: AgentConfig = {}) => {
    const job = agentJob({ name: 'standin-agent-x', node: undefined, command: ['node', '-e', '1'], config })
    const pod = job.spec!.template.spec!
    return { job, pod, container: pod.containers[0]! }
  }

  it('is what Pod Security "restricted" admits', () => {
    assert.deepEqual(restrictedFaults(withoutTarget().pod), [])
  })
  it('has no capability at all, no token, and no folder that it could write to', () => {
    const { pod, container } = withoutTarget()
    assert.deepEqual(container.securityContext?.capabilities, { drop: ['ALL'] })
    assert.equal(container.securityContext?.readOnlyRootFilesystem, true)
    assert.equal(pod.automountServiceAccountToken, false)
    assert.deepEqual(pod.volumes ?? [], [])
    assert.deepEqual(container.volumeMounts ?? [], [])
  })
  it('runs on any Linux node that takes it, with the variables of the services', () => {
    const { pod } = withoutTarget({ node_selector: { disk: 'ssd' } })
    assert.deepEqual(pod.nodeSelector, { 'kubernetes.io/os': 'linux', disk: 'ssd' })
    assert.deepEqual([pod.affinity, pod.tolerations], [undefined, undefined])
    assert.equal(pod.enableServiceLinks, true)
    const tolerations = [{ key: 'gpu', operator: 'Exists' }]
    assert.deepEqual(withoutTarget({ tolerations }).pod.tolerations, tolerations)
  })
  it('ends by itself as every other, with the same marks', () => {
    const { spec, metadata } = withoutTarget().job
    assert.deepEqual(
      [spec?.backoffLimit, spec?.template.spec?.restartPolicy, spec?.ttlSecondsAfterFinished],
      [0, 'Never', 0],
    )
    assert.equal(spec?.activeDeadlineSeconds, 600)
    assert.equal(metadata?.labels?.['app.kubernetes.io/managed-by'], 'standin')
  })
  it('lays security_context over its own, whose user can so be left to the cluster', () => {
    const { container } = withoutTarget({ security_context: { runAsUser: null } })
    assert.equal(container.securityContext?.runAsUser, null)
    assert.equal(container.securityContext?.runAsNonRoot, true)
  })
})

describe('restrictedFaults()', () => {
  it('finds what an agent with a target asks for', () => {
    assert.deepEqual(restrictedFaults(made().pod), [
      'hostPID',
      'capabilities.add SYS_ADMIN, SYS_PTRACE, NET_ADMIN, NET_RAW, BPF',
      'runAsNonRoot',
      'runAsUser 0',
    ])
  })
})

/** Source: Kubernetes, "Pod Security Standards", levels "baseline" and "restricted", as far as the spec of an agent could break them. */
function restrictedFaults(pod: V1PodSpec): string[] {
  const ofVolumes = (pod.volumes ?? []).flatMap(({ name, ...source }) =>
    Object.keys(source).filter(kind => !restrictedVolumes.includes(kind)),
  )
  const ofHost = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter(key => pod[key] === true)
  const ofContainers = pod.containers.flatMap(({ ports = [], securityContext: of = {} }) => {
    const { capabilities: { add = [], drop = [] } = {}, seccompProfile, runAsUser } = of
    return [
      ...(ports.some(({ hostPort }) => hostPort) ? ['hostPort'] : []),
      ...(of.privileged ? ['privileged'] : []),
      ...(of.allowPrivilegeEscalation === false ? [] : ['allowPrivilegeEscalation']),
      ...(drop.includes('ALL') ? [] : ['capabilities.drop']),
      ...(add.every(name => name === 'NET_BIND_SERVICE') ? [] : [`capabilities.add ${add.join(', ')}`]),
      ...(of.runAsNonRoot === true ? [] : ['runAsNonRoot']),
      ...(runAsUser === 0 ? ['runAsUser 0'] : []),
      ...(['RuntimeDefault', 'Localhost'].includes(seccompProfile?.type ?? '') ? [] : ['seccompProfile']),
      ...(['procMount', 'seLinuxOptions', 'appArmorProfile', 'windowsOptions'] as const).filter(
        key => of[key] !== undefined,
      ),
    ]
  })
  return [...ofHost, ...ofVolumes, ...ofContainers]
}

const restrictedVolumes = [
  ...['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'persistentVolumeClaim', 'projected'],
  'secret',
]

describe('agentName()', () => {
  it('is a name of a Job, another one each time', () => {
    const names = Array.from({ length: 100 }, agentName)
    assert.equal(new Set(names).size, 100)
    for (const name of names) assert.match(name, /^standin-agent-[a-z0-9]{10}$/)
  })
})
