// The completion scripts in the shells that unit tests do not ask for: they are read, and ask for values in the cluster that the line names.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { completionScript } from '../../clients/cli/completion.ts'
import { commandTree } from '../../clients/cli/program.ts'

const program = commandTree(() => {})
const words = 'standin exec -n shop --context staging -f x -t'.split(' ')
const asked = 'ls -n shop --context staging --output names\n'

const run = (shell: string, args: string[]) =>
  execFileSync(shell, args, { encoding: 'utf8', timeout: 10_000 })

describe('completion', () => {
  it('zsh asks standin for the targets of the cluster that the line names', () => {
    // Without its last line, which registers it with a completion system that a script has not loaded.
    const script = completionScript(program, 'zsh').trimEnd().split('\n').slice(0, -1).join('\n')
    const text = run('zsh', [
      '-fc',
      `standin() { print -r -- "$*" }
compadd() { print -rl -- "\${found[@]}" }
${script}
words=(${words.slice(1).join(' ')} ''); CURRENT=${words.length}; _standin_list ls`,
    ])
    assert.equal(text, asked)
  })

  it('fish asks standin for the targets of the cluster that the line names', () => {
    const text = run('fish', [
      '--no-config',
      '-c',
      `function standin; echo $argv; end
function commandline; printf '%s\\n' ${words.join(' ')}; end
${completionScript(program, 'fish')}
_standin_list ls`,
    ])
    assert.equal(text, asked)
  })

  it('fish offers commands, options and choices', () => {
    const offered = (line: string) =>
      run('fish', ['--no-config', '-c', `${completionScript(program, 'fish')}\ncomplete -C '${line}'`])
        .split('\n')
        .map(found => found.split('\t')[0])
        .filter(Boolean)
    assert.deepEqual(offered('standin descr'), ['describe'])
    assert.deepEqual(offered('standin ls --selec'), ['--selector'])
    assert.deepEqual(offered('standin clean --output '), ['json', 'table'])
  })
})
