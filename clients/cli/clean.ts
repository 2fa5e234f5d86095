// standin clean: asks the server to find and remove what sessions left behind, and says what it found.
import type * as t from 'io-ts'
import { cleanCluster } from '../../protocol/rpc/kubernetes.ts'
import { ask } from './client.ts'
import { type PlaceOptions, questionParams } from './session-options.ts'
import { table } from './table.ts'
import { tell } from './tell.ts'

export type CleanOptions = PlaceOptions & {
  allNamespaces?: boolean
  dryRun?: boolean
  output: 'table' | 'json'
  verbose?: boolean
}

/** 1 when something could not be removed. */
export async function clean(options: CleanOptions): Promise<number> {
  const { namespace, allNamespaces, dryRun, output, verbose = false } = options
  const json = output === 'json'
  return ask({ what: 'clean', verbose, json }, async (connection, signal) => {
    const params = {
      ...questionParams(options, process.cwd()),
      ...(namespace ? { namespace } : {}),
      ...(allNamespaces ? { allNamespaces } : {}),
      ...(dryRun ? { dryRun } : {}),
    }
    const found = await connection.request(cleanCluster, params, { signal })
    const { leftovers } = found
    if (json) process.stdout.write(`${JSON.stringify(found)}\n`)
    else if (leftovers.length > 0)
      process.stdout.write(table(leftoverTable(leftovers), process.stdout.columns))
    if (!json) tell({ event: 'notice', level: 'info', message: conclusion(leftovers) }, { json })
    return leftovers.some(({ action }) => action === 'failed') ? 1 : 0
  })
}

type Leftover = t.TypeOf<(typeof cleanCluster)['result']>['leftovers'][number]

const words = {
  removed: 'removed',
  removing: 'being removed',
  wouldRemove: 'would be removed',
  kept: 'kept',
  failed: 'not removed',
} as const

export function leftoverTable(leftovers: readonly Leftover[]): string[][] {
  const rows = leftovers.map(({ action, kind, namespace, name, createdAt, reason, failure }) => [
    words[action],
    namespace,
    `${kind.toLowerCase()}/${name}`,
    createdAt,
    failure === undefined ? reason : `${failure} (${reason})`,
  ])
  return [['ACTION', 'NAMESPACE', 'OBJECT', 'CREATED', 'WHY'], ...rows]
}

/** One sentence that counts. */
export function conclusion(leftovers: readonly Leftover[]): string {
  if (leftovers.length === 0) return 'nothing is left behind'
  const parts = (['removed', 'removing', 'wouldRemove', 'failed', 'kept'] as const).flatMap(action => {
    const count = leftovers.filter(leftover => leftover.action === action).length
    return count === 0 ? [] : [`${count} ${words[action]}`]
  })
  return parts.join(', ')
}
