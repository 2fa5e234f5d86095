// Completion scripts: they know every command and option of the tree, and their shells can read them.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { completionScript, isShell, shells } from '../../../clients/cli/completion.ts'
import { commandTree } from '../../../clients/cli/program.ts'

const program = commandTree(() => {})

/** What bash would offer for a line that ends at the cursor. */
function offered(line: string): string[] {
  const words = line.split(' ')
  const script = `standin() { printf 'process/1\\nprocess/2\\n'; }
${completionScript(program, 'bash')}
COMP_WORDS=(${words.map(word => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _standin; printf '%s\\n' "\${COMPREPLY[@]}"`
  return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).split('\n').filter(Boolean)
}

describe('completionScript()', () => {
  for (const shell of shells)
    it(`knows every command and every long option for ${shell}`, () => {
      const script = completionScript(program, shell)
      for (const command of program.commands) {
        assert.match(script, new RegExp(`\\b${command.name()}\\b`))
        for (const { long } of command.options)
          assert.ok(script.includes(long!.slice(2)), `${long} is missing`)
      }
    })

  it('is read by bash without complaint', () => {
    execFileSync('bash', ['-n'], { input: completionScript(program, 'bash') })
  })

  it('offers commands, options, choices and targets in bash', () => {
    assert.deepEqual(offered('standin e'), ['exec'])
    assert.deepEqual(offered('standin exec --env-'), ['--env-include', '--env-exclude'])
    assert.deepEqual(offered('standin exec --output '), ['text', 'json'])
    assert.deepEqual(offered('standin traffic -t '), ['process/1', 'process/2'])
    assert.deepEqual(offered('standin completion '), ['bash', 'zsh', 'fish'])
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
