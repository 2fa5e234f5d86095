// standin ls: the targets on this machine as a table, as JSON, or as bare names for completion.
import { listTargets, type Target } from '../../protocol/rpc/targets.ts'
import { ask } from './client.ts'
import { table } from './table.ts'

export type ListOptions = {
  kind?: 'process' | 'container'
  name?: string
  output: 'table' | 'json' | 'names'
  verbose?: boolean
}

export async function list(options: ListOptions): Promise<number> {
  const json = options.output === 'json'
  return ask({ what: 'ls', verbose: options.verbose === true, json }, async connection => {
    const result = await connection.request(listTargets, {
      ...(options.kind === undefined ? {} : { kinds: [options.kind] }),
      ...(options.name === undefined ? {} : { name: options.name }),
    })
    if (json) process.stdout.write(`${JSON.stringify(result)}\n`)
    else if (options.output === 'names')
      process.stdout.write(result.targets.map(({ target }) => `${target}\n`).join(''))
    else {
      process.stdout.write(targetTable(result.targets, process.stdout.columns))
      for (const warning of result.warnings) process.stderr.write(`standin: ${warning}\n`)
    }
    return 0
  })
}

/** One line a target, or a sentence when there is none. `columns`: width of the terminal, undefined when it is none. */
export function targetTable(targets: readonly Target[], columns?: number): string {
  if (targets.length === 0) return 'no target: no process listens on a TCP port, no container runs\n'
  const rows = targets.map(({ target, name, ports, ready, reason, command }) => [
    target,
    name,
    ports.join(',') || '-',
    ready ? 'yes' : (reason ?? 'no'),
    command ?? '',
  ])
  return table([['TARGET', 'NAME', 'PORTS', 'READY', 'COMMAND'], ...rows], columns)
}
