// What a crash of a cluster's own components may leave of an agent, put into the real cluster: a Job that stayed, one that outlived its lease, a pod without its Job.
import { agentJob } from '../../../server/kubernetes/agent/job.ts'
import { agentContainerName, agentName, podMarks } from '../../../server/kubernetes/agent/marks.ts'
import { apply, kubectl } from './kubectl.ts'

const image = 'localhost/pause:3.10'
const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString()

type JobStatus = Record<string, unknown>

/** An agent's Job that no controller looks after, as if its own had crashed: its status is what it was told last. */
async function makeJob(namespace: string, spec: object, status: JobStatus): Promise<string> {
  const name = agentName()
  const job = agentJob({ name, node: 'node-a', command: ['/pause'], config: { image } })
  const { ttlSecondsAfterFinished: _, ...own } = job.spec!
  await apply({
    ...job,
    metadata: { ...job.metadata, namespace },
    spec: { ...own, managedBy: 'example.com/crashed', ...spec },
  })
  const how = ['--subresource', 'status', '--type', 'merge', '-p', JSON.stringify({ status })]
  await kubectl(['-n', namespace, 'patch', 'job', name, ...how])
  return name
}

/** Its agent ended long ago, and what deletes finished Jobs did not come. */
export function makeFinishedJob(namespace: string): Promise<string> {
  const condition = (type: string) => ({ type, status: 'True', lastTransitionTime: ago(40) })
  return makeJob(
    namespace,
    {},
    {
      ...{ startTime: ago(50), completionTime: ago(40), succeeded: 1, ready: 0, terminating: 0 },
      uncountedTerminatedPods: {},
      conditions: [condition('SuccessCriteriaMet'), condition('Complete')],
    },
  )
}

/** Its lease ran out, and what ends such Jobs did not come. */
export function makeOverdueJob(namespace: string): Promise<string> {
  return makeJob(namespace, {}, { startTime: ago(30), ready: 0, terminating: 0, uncountedTerminatedPods: {} })
}

/** An agent's pod whose Job is gone. */
export async function makeOrphanPod(namespace: string): Promise<string> {
  const name = agentName()
  await apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, ...podMarks(name, {}) },
    spec: {
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      containers: [{ name: agentContainerName, image, imagePullPolicy: 'IfNotPresent' }],
    },
  })
  return name
}
