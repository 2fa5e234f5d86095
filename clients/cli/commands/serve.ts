// The help page of serve; the server itself never comes here (main.ts).
import { type Command, Option } from 'commander'
import { examples } from '../options.ts'

export function addServe(program: Command): void {
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
