// The command tree of standin: options, help pages with examples, and what each command calls.
import { Command, CommanderError, Option } from 'commander'
import { Failure } from '../../protocol/errors.ts'
import { version } from '../../protocol/version.ts'
import { reportedError } from '../rpc/reported-error.ts'
import { completionScript, isShell, shells } from './completion.ts'
import type { ExecOptions } from './exec-options.ts'
import { failedCode } from './exit-code.ts'
import type { ListOptions } from './list.ts'
import { tell } from './tell.ts'
import type { TrafficOptions } from './traffic.ts'

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
      examples(['standin ls', 'standin exec -t process/4711 -- npm start', 'standin help exec']),
    )
  addExec(program, done)
  addList(program, done)
  addTraffic(program, done)
  addServe(program)
  addCompletion(program, done)
  for (const command of [program, ...program.commands])
    command.exitOverride().configureOutput({ outputError() {} })
  return program
}

function addExec(program: Command, done: (code: number) => void): void {
  program
    .command('exec')
    .description("run a command that gets a copy of the target's traffic, in its environment")
    .argument('<command...>', 'the command and its arguments, after --')
    .addOption(targetOption())
    .option('-f, --config-file <file>', 'configuration file; options win over its keys')
    .option('--env <name=value>', 'set a variable, whatever the target has (repeatable)', append)
    .option('--env-include <patterns>', 'take only these variables of the target: "SHOP_*;REGION"')
    .option('--env-exclude <patterns>', 'take all but these variables of the target')
    .option(
      '--port-mapping <process:pod>',
      'the command listens on PROCESS for port POD of the target (repeatable)',
      append,
    )
    .option('--ports <ports>', 'only these ports of the target: 8080,8081')
    .addOption(
      new Option('--output <form>', 'how to tell what happens').choices(['text', 'json']).default('text'),
    )
    .option('--output-fd <number>', 'file descriptor for it instead of standard error')
    .option('-q, --quiet', 'tell errors only')
    .option('-v, --verbose', 'tell everything, the log of the server too')
    .passThroughOptions()
    .addHelpText(
      'after',
      `${examples([
        'standin exec -t process/4711 -- npm start',
        'standin exec -t container/shop --port-mapping 3000:80 -- node --inspect server.js',
        'standin exec -t process/4711 --env-include "SHOP_*" --env LOG=debug -- ./gradlew bootRun',
        'STANDIN_TARGET=container/shop standin exec --output json --output-fd 3 -- pytest 3>events.jsonl',
      ])}
Exit codes:
  the command's own, 128 + n when signal n ended it
  125 standin failed    126 the command is not executable    127 there is no such command`,
    )
    .action(async (command: string[], options: ExecOptions) => {
      const { runExec } = await import('./run-exec.ts')
      done(await runExec(command, options))
    })
}

function addList(program: Command, done: (code: number) => void): void {
  program
    .command('ls')
    .description('list the targets on this machine')
    .addOption(new Option('--kind <kind>', 'only targets of this kind').choices(['process', 'container']))
    .option('--name <text>', 'only targets whose name contains this')
    .addOption(
      new Option('--output <form>', 'table, one JSON object, or one target a line')
        .choices(['table', 'json', 'names'])
        .default('table'),
    )
    .option('-v, --verbose', 'show the log of the server')
    .addHelpText(
      'after',
      examples(['standin ls', 'standin ls --kind container', 'standin ls --output json | jq .targets']),
    )
    .action(async (options: ListOptions) => {
      const { list } = await import('./list.ts')
      done(await list(options))
    })
}

function addTraffic(program: Command, done: (code: number) => void): void {
  program
    .command('traffic')
    .description('show the requests that a target gets and how it answers them, until Ctrl-C')
    .addOption(targetOption())
    .option('--ports <ports>', 'only these ports of the target: 8080,8081')
    .option('--bodies <bytes>', 'show so many bytes of each body, at most 65536')
    .addOption(
      new Option('--output <form>', 'table, or one JSON object an event')
        .choices(['table', 'json'])
        .default('table'),
    )
    .option('-q, --quiet', 'tell errors only')
    .option('-v, --verbose', 'show the log of the server')
    .addHelpText(
      'after',
      examples([
        'standin traffic -t process/4711',
        'standin traffic -t container/shop --ports 80 --bodies 2000',
        'standin traffic -t container/shop --output json | jq \'select(.event=="response" and .status>=500)\'',
      ]),
    )
    .action(async (options: TrafficOptions) => {
      const { traffic } = await import('./traffic.ts')
      done(await traffic(options))
    })
}

function addServe(program: Command): void {
  program
    .command('serve')
    .description('answer an editor or a script: JSON-RPC 2.0 on standard input and output')
    .option('--stdio', 'speak on standard input and output (default)')
    .option('--pipe <name>', 'dial out to a Unix socket')
    .option('--socket <port>', 'dial out to a port of 127.0.0.1')
    .option('--listen <where>', 'accept on unix:PATH or tcp:PORT')
    .option('--log-file <file>', 'write the log to a file instead of standard error')
    .addOption(
      new Option('--log-level <level>', 'how much to log; default warning').choices([
        'error',
        'warning',
        'info',
        'debug',
      ]),
    )
    .addOption(
      new Option('--trace [how]', "show every message in the client's log; default messages").choices([
        'messages',
        'verbose',
      ]),
    )
    .option('--clientProcessId <pid>', 'end when this process is gone')
    .addHelpText(
      'after',
      `${examples([
        'standin serve --stdio',
        'standin serve --listen=unix:/tmp/standin.sock --log-file=/tmp/standin.log --log-level=debug',
        'STANDIN_TOKEN=s3cret standin serve --socket=4567 --clientProcessId=4711',
      ])}
Token:
  except over --stdio, initialize carries the secret of the variable STANDIN_TOKEN as "token"; --listen makes
  one if there is none, and prints it on standard error: {"listening":"tcp:40123","token":"..."}`,
    )
}

function addCompletion(program: Command, done: (code: number) => void): void {
  program
    .command('completion')
    .description('print the completion script of a shell')
    .argument('<shell>', shells.join(', '))
    .addHelpText(
      'after',
      examples([
        'source <(standin completion bash)',
        'standin completion zsh > ~/.zfunc/_standin',
        'standin completion fish > ~/.config/fish/completions/standin.fish',
      ]),
    )
    .action((shell: string) => {
      if (!isShell(shell))
        throw new Failure('usage-wrong', {
          reason: `"${shell}" is none of ${shells.join(', ')}`,
          help: 'standin help completion',
        })
      process.stdout.write(completionScript(program, shell))
      done(0)
    })
}

function targetOption(): Option {
  return new Option('-t, --target <target>', 'process/PID or container/NAME; "standin ls" lists them')
    .env('STANDIN_TARGET')
    .makeOptionMandatory()
}

function append(value: string, before: string[] = []): string[] {
  return [...before, value]
}

function examples(lines: readonly string[]): string {
  return `\nExamples:\n${lines.map(line => `  ${line}\n`).join('')}`
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
  const known = ['exec', 'ls', 'traffic', 'serve', 'completion'].includes(args[0] ?? '')
  const reason = thrown.message
    .replace(/^error: /, '')
    .replaceAll('\n', ' ')
    .replace(/'([^']*)'/g, '"$1"')
  return new Failure('usage-wrong', {
    reason,
    help: known ? `standin help ${args[0]}` : 'standin help',
  })
}
