// The namespaces of a cluster.
import type { V1Namespace } from '@kubernetes/client-node'
import type { TypeOf } from 'io-ts'
import type { listNamespaces as message } from '../../../protocol/rpc/kubernetes.ts'
import type { Api } from './api.ts'

/** Sorted by name. Fails as `Api.pages` does: a user who may not list namespaces gets `cluster-forbidden`. */
export async function listNamespaces(api: Api, signal: AbortSignal): Promise<TypeOf<typeof message.result>> {
  const namespaces: TypeOf<typeof message.result>['namespaces'] = []
  const asks = { verb: 'list', resource: 'namespaces' }
  for await (const page of api.pages<V1Namespace>({ path: '/api/v1/namespaces', signal, asks }))
    for (const { metadata, status } of page) {
      const name = metadata?.name ?? ''
      namespaces.push({ name, phase: status?.phase ?? 'Active', current: name === api.namespace })
    }
  namespaces.sort((a, b) => (a.name < b.name ? -1 : 1))
  return { namespaces, ...(api.context === undefined ? {} : { context: api.context }) }
}
