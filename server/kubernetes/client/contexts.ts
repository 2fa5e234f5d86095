// The contexts of the kubeconfig, as kubectl would show them.
import type { TypeOf } from 'io-ts'
import { Failure } from '../../../protocol/errors.ts'
import type { listContexts as message } from '../../../protocol/rpc/kubernetes.ts'
import { isInCluster } from './in-cluster.ts'
import { kubeconfigPaths, loadKubeconfig } from './kubeconfig.ts'

/** Asks no cluster and runs no plugin. Fails with `kubeconfig-missing` or `kubeconfig-invalid`. */
export function listContexts(
  kubeconfig: string | undefined,
  env: NodeJS.ProcessEnv = process.env,
): TypeOf<typeof message.result> {
  const config = loadKubeconfig(kubeconfig, env)
  if (config === undefined && !kubeconfig && isInCluster(env))
    return { contexts: [], warnings: ['there is no kubeconfig: the service account of this pod is used'] }
  if (config === undefined)
    throw new Failure('kubeconfig-missing', {
      looked: `looked for ${kubeconfigPaths(kubeconfig, env).join(', ')}`,
    })
  const { currentContext: current } = config
  const warnings: string[] = []
  if (current !== undefined && !config.contexts.has(current))
    warnings.push(`current-context names the missing context "${current}"`)
  const contexts = [...config.contexts].map(([name, { cluster = '', user, namespace }]) => {
    const server = config.clusters.get(cluster ?? '')?.server
    if (!config.clusters.has(cluster ?? ''))
      warnings.push(`context "${name}" names the missing cluster "${cluster ?? ''}"`)
    else if (!server) warnings.push(`cluster "${cluster}" of context "${name}" has no server`)
    if (user && !config.users.has(user)) warnings.push(`context "${name}" names the missing user "${user}"`)
    return {
      name,
      cluster: cluster ?? '',
      current: name === current,
      ...(server ? { server } : {}),
      ...(user ? { user } : {}),
      ...(namespace ? { namespace } : {}),
    }
  })
  return { contexts, warnings, ...(current === undefined ? {} : { current }) }
}
