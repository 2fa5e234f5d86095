// The commands ls and describe: their options and help pages.
import { type Command, InvalidArgumentError, Option } from 'commander'
import { Failure } from '../../../protocol/errors.ts'
import { listedKind } from '../../../protocol/rpc/targets.ts'
import type { DescribeOptions } from '../describe.ts'
import type { ListOptions } from '../list.ts'
import {
  append,
  clusterOptions,
  configFileOption,
  examples,
  namespaceOption,
  outputOption,
  verboseOption,
} from '../options.ts'

const kinds = Object.keys(listedKind.keys)

export function addList(program: Command, done: (code: number) => void): void {
  const command = program
    .command('ls')
    .description('list the targets in a cluster, or on this machine when there is no kubeconfig')
    .addOption(new Option('--local', 'the processes and containers on this machine'))
    .addOption(
      new Option('--kind <kind>', 'only targets of this kind (repeatable)').choices(kinds).argParser(kind),
    )
    .option('--name <text>', 'only targets whose name contains this')
    .addOption(
      new Option('-l, --selector <labels>', 'only targets with these labels: app=shop,tier!=db').helpGroup(
        'Cluster:',
      ),
    )
    .addOption(namespaceOption('to look in'))
    .addOption(new Option('-A, --all-namespaces', 'look in all namespaces').helpGroup('Cluster:'))
  for (const option of [...clusterOptions(), configFileOption()]) command.addOption(option)
  command
    .addOption(outputOption('table, one JSON object, or one target a line', ['table', 'json', 'names']))
    .addOption(verboseOption())
    .addHelpText(
      'after',
      examples([
        'standin ls',
        'standin ls -n shop --kind deployment --kind statefulset',
        'standin ls -A -l app=checkout --context staging',
        'standin ls --local',
        'standin ls --output json | jq .targets',
      ]),
    )
    .action(async (options: ListOptions) => {
      const { list } = await import('../list.ts')
      done(await list(options))
    })
}

export function addDescribe(program: Command, done: (code: number) => void): void {
  const command = program
    .command('describe')
    .description(
      'show a target: pods, containers, probes, and what a session there needs and whether you may',
    )
    .argument('[target]', 'as "standin ls" lists it')
    .addOption(new Option('-t, --target <target>', 'the same').env('STANDIN_TARGET'))
    .addOption(namespaceOption('of the target'))
  for (const option of [...clusterOptions(), configFileOption()]) command.addOption(option)
  command
    .addOption(outputOption('text, or one JSON object', ['text', 'json']))
    .addOption(verboseOption())
    .addHelpText(
      'after',
      examples([
        'standin describe deployment/checkout',
        'standin describe statefulset/db -n shop --context staging',
        "standin describe deployment/checkout --output json | jq '.needs[] | select(.granted | not)'",
      ]),
    )
    .action(async (target: string | undefined, options: DescribeOptions) => {
      const { describe } = await import('../describe.ts')
      const named = target ?? options.target
      if (!named)
        throw new Failure('usage-wrong', { reason: 'no target is named', help: 'standin help describe' })
      done(await describe(named, options))
    })
}

/** `choices` of commander take one value alone. */
function kind(value: string, before?: string[]): string[] {
  if (!kinds.includes(value)) throw new InvalidArgumentError(`Allowed choices are ${kinds.join(', ')}.`)
  return append(value, before)
}
