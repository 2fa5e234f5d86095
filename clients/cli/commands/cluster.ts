// The commands about a cluster itself: contexts, namespaces and clean.
import { type Command, Option } from 'commander'
import type { CleanOptions } from '../clean.ts'
import type { ContextsOptions } from '../contexts.ts'
import type { NamespacesOptions } from '../namespaces.ts'
import {
  clusterOptions,
  configFileOption,
  examples,
  namespaceOption,
  outputOption,
  verboseOption,
} from '../options.ts'

export function addContexts(program: Command, done: (code: number) => void): void {
  const command = program
    .command('contexts')
    .description('list the contexts of the kubeconfig; no cluster is asked')
  for (const option of clusterOptions()) if (option.long === '--kubeconfig') command.addOption(option)
  command
    .addOption(outputOption('table, one JSON object, or one context a line', ['table', 'json', 'names']))
    .addOption(verboseOption())
    .addHelpText('after', examples(['standin contexts', 'standin contexts --output names']))
    .action(async (options: ContextsOptions) => {
      const { contexts } = await import('../contexts.ts')
      done(await contexts(options))
    })
}

export function addNamespaces(program: Command, done: (code: number) => void): void {
  const command = program.command('namespaces').description('list the namespaces of a cluster')
  for (const option of [...clusterOptions(), configFileOption()]) command.addOption(option)
  command
    .addOption(outputOption('table, one JSON object, or one namespace a line', ['table', 'json', 'names']))
    .addOption(verboseOption())
    .addHelpText(
      'after',
      examples(['standin namespaces', 'standin namespaces --context staging --output names']),
    )
    .action(async (options: NamespacesOptions) => {
      const { namespaces } = await import('../namespaces.ts')
      done(await namespaces(options))
    })
}

export function addClean(program: Command, done: (code: number) => void): void {
  const command = program
    .command('clean')
    .description('find and remove what sessions left in a cluster because a component of it crashed')
    .addOption(namespaceOption('to look in'))
    .addOption(new Option('-A, --all-namespaces', 'look in all namespaces').helpGroup('Cluster:'))
    .option('--dry-run', 'only say what would be removed')
  for (const option of [...clusterOptions(), configFileOption()]) command.addOption(option)
  command
    .addOption(outputOption('table, or one JSON object', ['table', 'json']))
    .addOption(verboseOption())
    .addHelpText(
      'after',
      `${examples(['standin clean --dry-run', 'standin clean -n shop', 'standin clean -A --output json'])}
Sessions end without it: this is for what a crashed node or controller could not remove. What a living session
uses, anyone's, is kept. Exit code 1 when something could not be removed.`,
    )
    .action(async (options: CleanOptions) => {
      const { clean } = await import('../clean.ts')
      done(await clean(options))
    })
}
