// The command completion.
import type { Command } from 'commander'
import { Failure } from '../../../protocol/errors.ts'
import { completionScript, isShell, shells } from '../completion.ts'
import { examples } from '../options.ts'

export function addCompletion(program: Command, done: (code: number) => void): void {
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
