// The command tree of standin, and how its mistakes are told.
import { Command, CommanderError } from 'commander'
import { Failure } from '../../protocol/errors.ts'
import { version } from '../../protocol/version.ts'
import { reportedError } from '../rpc/reported-error.ts'
import { addClean, addContexts, addNamespaces } from './commands/cluster.ts'
import { addCompletion } from './commands/completion.ts'
import { addExec } from './commands/exec.ts'
import { addExplain } from './commands/explain.ts'
import { addForward } from './commands/forward.ts'
import { addServe } from './commands/serve.ts'
import { addDescribe, addList } from './commands/targets.ts'
import { addTraffic } from './commands/traffic.ts'
import { failedCode } from './exit-code.ts'
import { examples } from './options.ts'
import { tell } from './tell.ts'

/** Runs one command line and returns the exit code; an error of its own has been told by then. */
export async function runProgram(args: readonly string[]): Promise<number> {
  // A reader that goes away (`standin ls | head -1`) or a terminal that is gone is no reason to crash.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  let code = 0
  const program = commandTree(result => {
    code = result
  })
  try {
    await program.parseAsync(args, { from: 'user' })
    return code
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0
    // Nothing was asked, and the help page has been shown.
    if (thrown instanceof CommanderError && thrown.code === 'commander.help') return 1
    tellError(thrown, args)
    return args[0] === 'exec' ? failedCode : 1
  }
}

/** The tree alone; `done` takes the exit code of the command that ran. */
export function commandTree(done: (code: number) => void): Command {
  const program = new Command('standin')
    .description(
      "Runs a process on your machine as if it were a pod: it gets a copy of the pod's incoming traffic, and its environment.",
    )
    .version(version, '--version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      examples([
        'standin ls',
        'standin describe deployment/checkout',
        'standin exec -t deployment/checkout -- npm start',
        'standin help exec',
      ]),
    )
  addExec(program, done)
  addForward(program, done)
  addTraffic(program, done)
  addExplain(program, done)
  addList(program, done)
  addDescribe(program, done)
  addContexts(program, done)
  addNamespaces(program, done)
  addClean(program, done)
  addServe(program)
  addCompletion(program, done)
  for (const command of [program, ...program.commands])
    command.exitOverride().configureOutput({ outputError() {} })
  return program
}

function tellError(thrown: unknown, args: readonly string[]): void {
  const failure = thrown instanceof CommanderError ? usageFailure(thrown, args) : thrown
  const error = reportedError(failure, args[0] ?? 'standin')
  const own = args.slice(0, args.includes('--') ? args.indexOf('--') : args.length)
  const json = own.some(
    (arg, at) => arg === '--output=json' || (arg === 'json' && own[at - 1] === '--output'),
  )
  tell({ event: 'error', error }, { json })
}

function usageFailure(thrown: CommanderError, args: readonly string[]): Failure {
  const known = commandTree(() => {}).commands.some(command => command.name() === args[0])
  const reason = thrown.message
    .replace(/^error: /, '')
    .replaceAll('\n', ' ')
    .replace(/'([^']*)'/g, '"$1"')
  return new Failure('usage-wrong', {
    reason,
    help: known ? `standin help ${args[0]}` : 'standin help',
  })
}
