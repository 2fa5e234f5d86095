// standin namespaces: the namespaces of a cluster.
import { listNamespaces } from '../../protocol/rpc/kubernetes.ts'
import { ask } from './client.ts'
import { type QuestionOptions, questionParams } from './session-options.ts'
import { table } from './table.ts'

export type NamespacesOptions = QuestionOptions & { output: 'table' | 'json' | 'names'; verbose?: boolean }

export async function namespaces(options: NamespacesOptions): Promise<number> {
  const { output, verbose = false } = options
  const json = output === 'json'
  return ask({ what: 'namespaces', verbose, json }, async (connection, signal) => {
    const params = questionParams(options, process.cwd())
    const found = await connection.request(listNamespaces, params, { signal })
    const rows = found.namespaces.map(({ current, name, phase }) => [current ? '*' : '', name, phase])
    if (json) process.stdout.write(`${JSON.stringify(found)}\n`)
    else if (output === 'names') process.stdout.write(rows.map(([, name]) => `${name}\n`).join(''))
    else process.stdout.write(table([['CURRENT', 'NAME', 'PHASE'], ...rows], process.stdout.columns))
    return 0
  })
}
