// The command traffic: its options and help page.
import type { Command } from 'commander'
import { examples, outputOption, quietOption, sessionOptions, verboseOption } from '../options.ts'
import type { TrafficOptions } from '../traffic.ts'

export function addTraffic(program: Command, done: (code: number) => void): void {
  const command = program
    .command('traffic')
    .description('show the requests that a target gets and how it answers them, until Ctrl-C')
  for (const option of sessionOptions()) command.addOption(option)
  command
    .option('--ports <ports>', 'only these ports of the target: 8080,8081')
    .option('--bodies <bytes>', 'show so many bytes of each body, at most 65536')
    .addOption(outputOption('table, or one JSON object an event', ['table', 'json']))
    .addOption(quietOption())
    .addOption(verboseOption())
    .addHelpText(
      'after',
      examples([
        'standin traffic -t deployment/checkout',
        'standin traffic -t container/shop --ports 80 --bodies 2000',
        'standin traffic -t deployment/shop --output json | jq \'select(.event=="response" and .status>=500)\'',
      ]),
    )
    .action(async (options: TrafficOptions) => {
      const { traffic } = await import('../traffic.ts')
      done(await traffic(options))
    })
}
