// standin ls: the targets of a cluster or of this machine as a table, as JSON, or as bare names for completion.
import { decode } from '../../protocol/codec.ts'
import { progress } from '../../protocol/rpc/lifecycle.ts'
import { type ListedKind, listTargets, type Target } from '../../protocol/rpc/targets.ts'
import type { Connection } from '../rpc/connection.ts'
import { ask } from './client.ts'
import { counter } from './counter.ts'
import { signalCode } from './exit-code.ts'
import { absolute, clusterParams, type PlaceOptions } from './session-options.ts'
import { table } from './table.ts'
import { sortTargets, targetTable } from './target-table.ts'
import { tell } from './tell.ts'

export type ListOptions = PlaceOptions & {
  local?: boolean
  kind?: ListedKind[]
  name?: string
  selector?: string
  allNamespaces?: boolean
  output: 'table' | 'json' | 'names'
  verbose?: boolean
}

type Params = Parameters<typeof listTargets.params.encode>[0]

export async function list(options: ListOptions): Promise<number> {
  const { output, verbose = false } = options
  const json = output === 'json'
  const params = listParams(options, process.cwd())
  return ask({ what: 'ls', verbose, json }, async (connection, signal) => {
    const found = await (output === 'table' && process.stdout.isTTY
      ? collect(connection, params, signal)
      : connection.request(listTargets, params, { signal }))
    const { targets, warnings } = found
    const inAll = params.allNamespaces === true
    if (json) process.stdout.write(`${JSON.stringify(found)}\n`)
    else if (output === 'names') process.stdout.write(targets.map(({ target }) => `${target}\n`).join(''))
    else {
      process.stdout.write(table(targetTable(targets, { inAll }), process.stdout.columns))
      for (const message of warnings) tell({ event: 'notice', level: 'warning', message }, { json })
      if (targets.length === 0)
        tell({ event: 'notice', level: 'info', message: nothingFound(params) }, { json })
    }
    return signal.aborted ? signalCode('SIGINT') : 0
  })
}

/** What the options ask for; a cluster is meant as soon as one of them says so, else the server decides. */
export function listParams(options: ListOptions, folder: string): Params {
  const { local, kind, name, selector, namespace, allNamespaces } = options
  const ours = { ...(kind === undefined ? {} : { kinds: kind }), ...(name ? { name } : {}) }
  if (local) return { ...ours, place: 'machine' }
  const where = {
    ...clusterParams(options, folder),
    ...(namespace ? { namespace } : {}),
    ...(allNamespaces ? { allNamespaces } : {}),
    ...(selector ? { labels: selector } : {}),
  }
  const saysCluster = Object.keys(where).length > 0 && kind === undefined
  const file = options.configFile ? { configFile: absolute(options.configFile, folder) } : {}
  return { ...ours, ...where, ...file, folder, ...(saysCluster ? { place: 'cluster' } : {}) }
}

/** Takes the targets as they are found and counts them on the terminal; what was found before Ctrl-C is kept. */
async function collect(connection: Connection, params: Params, signal: AbortSignal) {
  const targets: Target[] = []
  const count = counter('targets')
  connection.on(progress, ({ token, value }) => {
    const part = decode(listTargets.result, { warnings: [], ...value })
    if (token !== 'targets' || !part.ok) return
    targets.push(...part.value.targets)
    count.show(targets.length)
  })
  try {
    const rest = await connection.request(
      listTargets,
      { ...params, partialResultToken: 'targets' },
      { signal },
    )
    return { targets: sortTargets([...targets, ...rest.targets]), warnings: rest.warnings }
  } catch (thrown) {
    if (!signal.aborted || targets.length === 0) throw thrown
    return {
      targets: sortTargets(targets),
      warnings: [`these ${targets.length} had been found when you stopped it`],
    }
  } finally {
    count.clear()
  }
}

function nothingFound({ place, allNamespaces, kinds, name, labels }: Params): string {
  if (kinds !== undefined || name !== undefined || labels !== undefined) return 'no target fits'
  if (place === 'machine') return 'no process listens on a TCP port, and no container runs'
  return allNamespaces ? 'no target is there' : 'no target is there; -n looks in another namespace, -A in all'
}
