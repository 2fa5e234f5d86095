// kubectl for tests: the one that was built beside the cluster, on the cluster that the tests run on.
import { existsSync } from 'node:fs'
import { adminKubeconfig } from '../layout.ts'
import { programPath } from '../programs.ts'
import { run, until } from '../run.ts'

/** The kubeconfig of the cluster's administrator: KUBECONFIG, or the test cluster's. */
export const kubeconfig = process.env.KUBECONFIG || adminKubeconfig

/** The built kubectl; the one on PATH where a cluster was given and nothing was built. */
export const kubectlProgram = existsSync(programPath('kubectl')) ? programPath('kubectl') : 'kubectl'

export interface KubectlOptions {
  input?: string
  /** Another user's kubeconfig; default the administrator's. */
  kubeconfig?: string
  /** Default 30,000. */
  timeoutMs?: number
}

/** Runs kubectl and gives what it printed; throws with its error output. */
export async function kubectl(args: readonly string[], options: KubectlOptions = {}): Promise<string> {
  const { input, timeoutMs = 30_000 } = options
  return run(kubectlProgram, ['--kubeconfig', options.kubeconfig ?? kubeconfig, ...args], {
    timeoutMs,
    ...(input === undefined ? {} : { input }),
  })
}

/** Creates or changes objects as `kubectl apply` does. */
export async function apply(...objects: readonly object[]): Promise<void> {
  const list = { apiVersion: 'v1', kind: 'List', items: objects }
  await kubectl(['apply', '-f', '-'], { input: JSON.stringify(list) })
}

// biome-ignore lint/suspicious/noExplicitAny: an object of Kubernetes, of which each test knows its own part.
type KubernetesObject = any

/** One object, or undefined when there is none of that name. `which` is such as ['-n', 'shop', 'pod', 'web']. */
export async function objectOf(which: readonly string[]): Promise<KubernetesObject | undefined> {
  const text = await kubectl(['get', '--ignore-not-found', '-o', 'json', ...which])
  return text === '' ? undefined : JSON.parse(text)
}

/** Waits until the object is as `holds` wants it, undefined when it is absent; fails with what it was last. */
export async function waitForObject(
  awaited: string,
  which: readonly string[],
  holds: (object: KubernetesObject | undefined) => boolean,
  timeoutMs = 30_000,
): Promise<KubernetesObject> {
  let last: unknown
  try {
    return await until(awaited, timeoutMs, async () => {
      last = await objectOf(which)
      return holds(last) ? { last } : undefined
    }).then(found => found.last)
  } catch (error) {
    throw new Error(`${(error as Error).message}; it was last ${JSON.stringify(last)}`, { cause: error })
  }
}

/** Makes a namespace with a name of its own; `remove` waits until it is gone with all that was in it. */
export async function freshNamespace(
  prefix: string,
  labels: Record<string, string> = {},
): Promise<{ name: string; remove(): Promise<void> }> {
  const name = `${prefix}-${process.pid}-${(namespaces++).toString(36)}${Date.now().toString(36).slice(-4)}`
  await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } })
  // Pods are refused until it is there.
  await waitForObject(
    'the default service account',
    ['-n', name, 'serviceaccount', 'default'],
    found => found !== undefined,
  )
  return {
    name,
    remove: async () => {
      await kubectl(['delete', 'namespace', name, '--ignore-not-found', '--timeout=90s'], {
        timeoutMs: 100_000,
      })
    },
  }
}
let namespaces = 0

/** Waits for what the cluster puts into a namespace by itself, some time after it was made. */
export async function settledNamespace(name: string): Promise<void> {
  await waitForObject(
    'the root certificates',
    ['-n', name, 'configmap', 'kube-root-ca.crt'],
    found => found !== undefined,
  )
}

/** Waits until every pod that the selector finds is ready; throws with their state when they are not in time. */
export async function podsReady(namespace: string, selector: string, timeoutMs = 60_000): Promise<void> {
  const wait = ['wait', 'pod', '-l', selector, '--for=condition=Ready', `--timeout=${timeoutMs}ms`]
  await kubectl(['-n', namespace, ...wait], { timeoutMs: timeoutMs + 5000 }).catch(async error => {
    const state = await kubectl(['-n', namespace, 'describe', 'pod', '-l', selector])
    throw new Error(`${(error as Error).message}\n${state}`, { cause: error })
  })
}
