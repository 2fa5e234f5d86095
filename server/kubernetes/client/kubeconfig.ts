// Finds the kubeconfig as kubectl does: the files, their merge, and the context that is meant.
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { Failure } from '../../../protocol/errors.ts'
import type { ClusterChoice } from '../cluster.ts'
import type { Access } from './access.ts'
import { inClusterAccess, isInCluster } from './in-cluster.ts'
import { type Kubeconfig, readKubeconfigFile } from './kubeconfig-file.ts'

// Not @kubernetes/client-node's KubeConfig: it costs 120 ms and 69 MB to load, refuses a list whose files name the same cluster, where kubectl
// takes the first, leaves tokenFile and exec paths relative to the working folder, and reruns plugins on every request.

/** The files that kubectl would read, in its order; a list is given by KUBECONFIG only. */
export function kubeconfigPaths(kubeconfig: string | undefined, env: NodeJS.ProcessEnv): string[] {
  const home = env.HOME || homedir()
  if (kubeconfig) return [kubeconfig.replace(/^~(?=\/)/, home)]
  const list = env.KUBECONFIG ?? ''
  if (list !== '') return [...new Set(list.split(delimiter).filter(path => path !== ''))]
  return [join(home, '.kube', 'config')]
}

/** Undefined when none of the files is there. A file that was named by option has to be. */
export function loadKubeconfig(
  kubeconfig: string | undefined,
  env: NodeJS.ProcessEnv,
): Kubeconfig | undefined {
  const paths = kubeconfigPaths(kubeconfig, env)
  const found = paths.map(readKubeconfigFile).filter(file => file !== undefined)
  if (found.length === 0 && kubeconfig)
    throw new Failure('kubeconfig-invalid', { file: kubeconfig, reason: 'no such file' })
  return found.length === 0 ? undefined : mergeKubeconfigs(found)
}

/** The first file that has an entry of a name, or a current context, decides it whole; source: client-go, clientcmd/loader.go. */
export function mergeKubeconfigs(files: readonly Kubeconfig[]): Kubeconfig {
  const first = <V>(maps: readonly Map<string, V>[]): Map<string, V> => {
    const merged = new Map<string, V>()
    for (const map of maps) for (const [name, value] of map) if (!merged.has(name)) merged.set(name, value)
    return merged
  }
  return {
    currentContext: files.find(file => file.currentContext !== undefined)?.currentContext,
    clusters: first(files.map(file => file.clusters)),
    users: first(files.map(file => file.users)),
    contexts: first(files.map(file => file.contexts)),
  }
}

/** Whether there is a kubeconfig or an in-cluster configuration; says nothing of whether it works. */
export function hasCluster(choice: ClusterChoice, env: NodeJS.ProcessEnv = process.env): boolean {
  if (choice.kubeconfig || choice.context || isInCluster(env)) return true
  try {
    const config = loadKubeconfig(undefined, env)
    return config !== undefined && !isEmpty(config)
  } catch {
    // A broken one is one: whoever uses it is told what is wrong with it.
    return true
  }
}

/** Fails with `kubeconfig-missing`, `kubeconfig-invalid` or `context-not-found`. */
export function chooseAccess(choice: ClusterChoice, env: NodeJS.ProcessEnv): Access {
  const config = loadKubeconfig(choice.kubeconfig, env)
  if (config === undefined || (isEmpty(config) && choice.context === undefined)) {
    if (!choice.kubeconfig && choice.context === undefined && isInCluster(env))
      return inClusterAccess(env, choice.namespace)
    const looked = `${config === undefined ? 'looked for' : 'empty:'} ${kubeconfigPaths(choice.kubeconfig, env).join(', ')}`
    throw new Failure('kubeconfig-missing', { looked })
  }
  return accessOf(config, choice)
}

function isEmpty(config: Kubeconfig): boolean {
  return (
    config.contexts.size + config.clusters.size + config.users.size === 0 &&
    config.currentContext === undefined
  )
}

/** The chosen context's cluster and user; pure. */
export function accessOf(config: Kubeconfig, choice: Omit<ClusterChoice, 'kubeconfig'>): Access {
  const name = choice.context ?? config.currentContext
  const known = [...config.contexts.keys()]
  const there =
    known.length === 0 ? 'the kubeconfig has no context' : `the kubeconfig has ${known.join(', ')}`
  if (name === undefined)
    throw new Failure('context-not-found', { context: '', reason: `current-context is not set; ${there}` })
  const context = config.contexts.get(name)
  if (context === undefined) throw new Failure('context-not-found', { context: name, reason: there })
  const wrong = (reason: string) => new Failure('kubeconfig-invalid', { file: context.file, reason })
  const cluster = config.clusters.get(context.cluster ?? '')
  if (cluster === undefined)
    throw wrong(`context "${name}" names the missing cluster "${context.cluster ?? ''}"`)
  if (!cluster.server) throw wrong(`cluster "${context.cluster}" has no server`)
  const user = context.user ? config.users.get(context.user) : { file: context.file }
  if (user === undefined) throw wrong(`context "${name}" names the missing user "${context.user}"`)
  return {
    context: name,
    namespace: choice.namespace || context.namespace || 'default',
    clusterName: context.cluster ?? '',
    cluster: { ...cluster, server: cluster.server },
    userName: context.user ?? '',
    user,
  }
}
