// The command forward: its options and help page.
import { type Command, Option } from 'commander'
import type { ForwardOptions } from '../forward.ts'
import { append, examples, outputOption, quietOption, sessionOptions, verboseOption } from '../options.ts'

export function addForward(program: Command, done: (code: number) => void): void {
  const command = program
    .command('forward')
    .description('forward ports of this machine to what a target can reach, until Ctrl-C; needs no hooks')
    .argument('[forwards...]', 'LOCAL:HOST:PORT, LOCAL:PORT, PORT or LOCAL:SOCKET; several at once')
  for (const option of sessionOptions()) command.addOption(option)
  command
    .addOption(
      new Option(
        '--reverse <port:local>',
        'mirror PORT of the target to LOCAL of this machine: callers are copied to it, and the target answers them (repeatable)',
      ).argParser(append),
    )
    .addOption(outputOption('text, or one JSON object a line', ['text', 'json']))
    .addOption(quietOption())
    .addOption(verboseOption())
    .addHelpText(
      'after',
      `${examples([
        "standin forward -t deployment/checkout 5432:postgres:5432     # a host that the target knows, by the target's names",
        "standin forward -t deployment/checkout 8080:80 :9090          # the target's own ports; :9090 from a free port here",
        'standin forward -t deployment/checkout 8443:[fd00::1]:443 ./pg.sock:/run/postgresql/.s.PGSQL.5432',
        'standin forward -t deployment/checkout --reverse 8080:3000',
        'standin forward -t targetless -n shop 5432:postgres:5432      # from the network of a namespace, without a pod',
      ])}
LOCAL is a port of 127.0.0.1 (empty or 0 takes a free one) or the path of a Unix socket, which begins with "/" or ".".
HOST is an IP address ([...] around IPv6) or a name, looked up in the target for each connection. SOCKET is the path
of a Unix socket in the target, or @NAME for an abstract one.`,
    )
    .action(async (forwards: string[], options: ForwardOptions) => {
      const { forward } = await import('../forward.ts')
      done(await forward(forwards, options))
    })
}
