// The command explain: its options and help page.
import { Argument, type Command } from 'commander'
import type { ExplainOptions } from '../explain.ts'
import { configFileOption, examples, outputOption, verboseOption } from '../options.ts'

export function addExplain(program: Command, done: (code: number) => void): void {
  program
    .command('explain')
    .description('say where a connection of the process would go, and by which rule; nothing is connected')
    .addArgument(new Argument('<what>', 'what the process would do').choices(['connect']))
    .argument(
      '<destination>',
      'HOST:PORT; an IPv6 address in brackets; "udp://" before it for UDP; or the path or @NAME of a Unix socket',
    )
    .addOption(configFileOption())
    .addOption(outputOption('text, or one JSON object', ['text', 'json']))
    .addOption(verboseOption())
    .addHelpText(
      'after',
      examples([
        'standin explain connect db.shop:5432',
        'standin explain connect [2001:db8::1]:443 -f other.json',
        'standin explain connect /run/app/db.sock',
        'standin explain connect udp://10.0.0.10:53 --output json | jq .where',
      ]),
    )
    .action(async (_: string, destination: string, options: ExplainOptions) => {
      const { explain } = await import('../explain.ts')
      done(await explain(destination, options))
    })
}
