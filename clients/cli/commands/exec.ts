// The command exec: its options and help page.
import { type Command, Option } from 'commander'
import { excludedNames } from '../../../protocol/excluded-variables.ts'
import type { ExecOptions } from '../exec-options.ts'
import { append, examples, outputOption, quietOption, sessionOptions } from '../options.ts'

export function addExec(program: Command, done: (code: number) => void): void {
  const command = program
    .command('exec')
    .description("run a command that gets a copy of the target's traffic, in its environment")
    .argument('<command...>', 'the command and its arguments, after --')
  for (const option of sessionOptions()) command.addOption(option)
  command
    .addOption(
      new Option('--env <name=value>', 'set a variable, whatever the target has (repeatable)').argParser(
        append,
      ),
    )
    .option('--env-include <patterns>', 'take only these variables of the target: "SHOP_*;REGION"')
    .option('--env-exclude <patterns>', 'take all but these variables of the target')
    .addOption(
      new Option(
        '--port-mapping <process:pod>',
        'the command listens on PROCESS for port POD of the target (repeatable)',
      ).argParser(append),
    )
    .option('--ports <ports>', 'only these ports of the target: 8080,8081')
    .option(
      '--connections',
      'tell of each connection of the command, of its datagrams and of names that it looks up where they go, and by which rule',
    )
    .addOption(outputOption('how to tell what happens', ['text', 'json']))
    .option('--output-fd <number>', 'file descriptor for it instead of standard error')
    .addOption(quietOption())
    .option('-v, --verbose', 'tell everything, the log of the server too')
    .passThroughOptions()
    .addHelpText(
      'after',
      `${examples([
        'standin exec -t deployment/checkout -- npm start',
        'standin exec -t deployment/checkout -n shop --context staging --port-mapping 3000:80 -- node server.js',
        'standin exec -t pod/shop-0/container/web --env-include "SHOP_*" --env LOG=debug -- ./gradlew bootRun',
        'standin exec -t targetless -n shop -- npm test                  # the network of the namespace, without a pod',
        'standin exec -t process/4711 -- npm start                      # a process on this machine',
        'STANDIN_TARGET=deployment/shop standin exec --output json --output-fd 3 -- pytest 3>events.jsonl',
      ])}
Exit codes:
  the command's own, 128 + n when signal n ended it
  125 standin failed    126 the command is not executable    127 there is no such command

Variables of the target that are left out, because they are about its machine; --env-include brings those that
it names exactly ("PATH;*" takes PATH and all the others):
${wrapped(excludedNames)}`,
    )
    .action(async (words: string[], options: ExecOptions) => {
      const { runExec } = await import('../run-exec.ts')
      done(await runExec(words, options))
    })
}

/** Indented lines of at most 110 characters. */
function wrapped(text: string): string {
  return text.replace(/(.{1,106})(?: |$)/g, (_, line: string) => `  ${line}\n`).trimEnd()
}
