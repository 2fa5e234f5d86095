// The configuration of a program that runs in a pod: its service account.
import { existsSync, readFileSync } from 'node:fs'
import { isIPv6 } from 'node:net'
import { join } from 'node:path'
import type { Access } from './access.ts'

/** Where the kubelet mounts it; source: client-go, rest/config.go, InClusterConfig. */
export const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount'

export function isInCluster(env: NodeJS.ProcessEnv, folder = serviceAccountFolder): boolean {
  return (
    Boolean(env.KUBERNETES_SERVICE_HOST && env.KUBERNETES_SERVICE_PORT) && existsSync(join(folder, 'token'))
  )
}

export function inClusterAccess(
  env: NodeJS.ProcessEnv,
  namespace: string | undefined,
  folder = serviceAccountFolder,
): Access {
  const host = env.KUBERNETES_SERVICE_HOST ?? ''
  const authority = join(folder, 'ca.crt')
  return {
    context: undefined,
    namespace: namespace || env.POD_NAMESPACE || ownNamespace(folder) || 'default',
    clusterName: 'in-cluster',
    cluster: {
      file: folder,
      server: `https://${isIPv6(host) ? `[${host}]` : host}:${env.KUBERNETES_SERVICE_PORT}`,
      ...(existsSync(authority) ? { 'certificate-authority': authority } : {}),
    },
    userName: 'the service account of this pod',
    user: { file: folder, tokenFile: join(folder, 'token') },
  }
}

function ownNamespace(folder: string): string {
  try {
    return readFileSync(join(folder, 'namespace'), 'utf8').trim()
  } catch {
    // Some clusters mount the token alone.
    return ''
  }
}
