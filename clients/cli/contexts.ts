// standin contexts: the contexts of the kubeconfig.
import type * as t from 'io-ts'
import { listContexts } from '../../protocol/rpc/kubernetes.ts'
import { ask } from './client.ts'
import { type ClusterOptions, clusterParams } from './session-options.ts'
import { table } from './table.ts'
import { tell } from './tell.ts'

export type ContextsOptions = Pick<ClusterOptions, 'kubeconfig'> & {
  output: 'table' | 'json' | 'names'
  verbose?: boolean
}

export async function contexts(options: ContextsOptions): Promise<number> {
  const { output, verbose = false } = options
  const json = output === 'json'
  return ask({ what: 'contexts', verbose, json }, async (connection, signal) => {
    const { kubeconfig } = clusterParams(options, process.cwd())
    const found = await connection.request(listContexts, { kubeconfig }, { signal })
    if (json) process.stdout.write(`${JSON.stringify(found)}\n`)
    else if (output === 'names') process.stdout.write(found.contexts.map(({ name }) => `${name}\n`).join(''))
    else {
      process.stdout.write(table(contextTable(found.contexts), process.stdout.columns))
      for (const message of found.warnings) tell({ event: 'notice', level: 'warning', message }, { json })
    }
    return 0
  })
}

type Context = t.TypeOf<(typeof listContexts)['result']>['contexts'][number]

/** Columns as `kubectl config get-contexts` has them, then the server. */
export function contextTable(contexts: readonly Context[]): string[][] {
  const rows = contexts.map(({ current, name, cluster, user, namespace, server }) => [
    current ? '*' : '',
    name,
    cluster,
    user ?? '',
    namespace ?? '',
    server ?? '',
  ])
  return [['CURRENT', 'NAME', 'CLUSTER', 'USER', 'NAMESPACE', 'SERVER'], ...rows]
}
