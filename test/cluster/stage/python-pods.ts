// Pods that run programs of test/programs in Python: the same ones that journeys run on this machine, in the container's own files and network.
import { readFileSync } from 'node:fs'
import { programOf } from '../../stage/pod.ts'
import { until } from '../run.ts'
import { apply, kubectl, objectOf, podsReady } from './kubectl.ts'

const image = 'localhost/prices:1'
const textOf = (file: string): string => readFileSync(programOf(file), 'utf8')

/** A container that runs a program which says "listening" first. */
export type Serving = { file: string; args: readonly string[] }

/** Starts a pod, whose label "app" is its name, with a container for each; gives its address when all listen. */
export async function startPythonPod(
  namespace: string,
  name: string,
  serving: Readonly<Record<string, Serving>>,
): Promise<string> {
  const containers = Object.entries(serving).map(([container, { file, args }]) => ({
    ...{ name: container, image, imagePullPolicy: 'Never' },
    command: ['python3.11', '-u', '-c', textOf(file), ...args],
  }))
  await apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: name } },
    spec: { terminationGracePeriodSeconds: 0, automountServiceAccountToken: false, containers },
  })
  await podsReady(namespace, `app=${name}`)
  for (const container of Object.keys(serving))
    await until(`container ${container} of pod ${name} to listen`, 20_000, async () =>
      (await kubectl(['-n', namespace, 'logs', name, '-c', container])).includes('listening'),
    )
  return (await objectOf(['-n', namespace, 'pod', name])).status.podIP
}

/** Runs a program in the first container of a pod, with this input; gives what it printed. */
export async function pythonInPod(
  { namespace, pod }: { namespace: string; pod: string },
  file: string,
  args: readonly string[],
  input: string,
): Promise<string> {
  const command = ['python3.11', '-u', '-c', textOf(file), ...args]
  return kubectl(['-n', namespace, 'exec', '-i', pod, '--', ...command], { input, timeoutMs: 60_000 })
}
