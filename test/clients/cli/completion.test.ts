// Completion scripts: they know every command and option of the tree, and their shells can read them.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { completionScript, isShell, shells } from '../../../clients/cli/completion.ts'
import { commandTree } from '../../../clients/cli/program.ts'

const program = commandTree(() => {})

/** What bash would offer for a line that ends at the cursor. */
function offered(line: string): string[] {
  const words = line.split(' ')
  const script = `standin() {
  case "$1" in
    ls) printf 'pod/1\\npod/2\\n' ;;
    *) printf '%s\\n' "$1-of" ;;
  esac
  printf 'asked: %s\\n' "$*" >&2
}
${completionScript(program, 'bash')}
COMP_WORDS=(${words.map(word => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _standin; printf '%s\\n' "\${COMPREPLY[@]}"`
  return execFileSync('bash', ['-c', script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    .split('\n')
    .filter(Boolean)
}

describe('completionScript()', () => {
  for (const shell of shells)
    it(`knows every command and every long option for ${shell}`, () => {
      const script = completionScript(program, shell)
      for (const command of program.commands) {
        assert.match(script, new RegExp(`\\b${command.name()}\\b`))
        for (const { long, hidden } of command.options)
          assert.equal(script.includes(long!.slice(2)), !hidden, `${long}`)
      }
    })

  it('is read by bash without complaint', () => {
    execFileSync('bash', ['-n'], { input: completionScript(program, 'bash') })
  })

  it('offers commands, options, choices and targets in bash', () => {
    assert.deepEqual(offered('standin e'), ['exec', 'explain'])
    assert.deepEqual(offered('standin exec --env-'), ['--env-include', '--env-exclude'])
    assert.deepEqual(offered('standin exec --output '), ['text', 'json'])
    assert.deepEqual(offered('standin traffic -t '), ['pod/1', 'pod/2'])
    assert.deepEqual(offered('standin describe '), ['pod/1', 'pod/2'])
    assert.deepEqual(offered('standin exec --context '), ['contexts-of'])
    assert.deepEqual(offered('standin ls -n '), ['namespaces-of'])
    assert.ok(offered('standin ls --kind ').includes('statefulset'))
    assert.deepEqual(offered('standin ls --selec'), ['--selector'])
    assert.deepEqual(offered('standin completion '), ['bash', 'zsh', 'fish'])
  })

  it('asks for values in the cluster that the line has named so far', () => {
    const words = 'standin exec -n shop --context staging -f x -t'.split(' ')
    const asked = execFileSync(
      'bash',
      [
        '-c',
        `standin() { echo "$*"; }
${completionScript(program, 'bash')}
COMP_WORDS=(${words.join(' ')} ''); COMP_CWORD=${words.length}; _standin_list ls`,
      ],
      { encoding: 'utf8' },
    )
    assert.equal(asked, 'ls -n shop --context staging --output names\n')
  })

  it('completes the command after -- as bash would', () => {
    assert.ok(offered('standin exec -t process/1 -- bas').includes('bash'))
  })
})

describe('isShell()', () => {
  it('knows three shells', () => {
    assert.ok(isShell('zsh'))
    assert.ok(!isShell('tcsh'))
  })
})
