// A command of standin exec whose server and supervisor are both killed: it is ended, and the user reads why.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { programPath } from '../../../protocol/programs.ts'
import { compile } from '../../stage/compile-programs.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { linesOf } from '../../stage/lines.ts'
import { type SmallTarget, startSmallTarget } from '../../stage/small-target.ts'

describe('a command of standin exec', () => {
  let target: SmallTarget
  before(async () => {
    target = await startSmallTarget(8080)
  })
  after(() => target.end())

  for (const order of [['server', 'hook'], ['hook', 'server'], ['server']] as const)
    it(`whose ${order.join(' and then its ')} is killed is ended, and one line says so`, async () => {
      const run = markRun()
      const command = [compile('accept.c', 'c'), '9950']
      const client = spawn(
        process.execPath,
        [programPath('standin'), 'exec', '-t', target.name, '--', 'env', '-i', ...command],
        { env: run.environment, stdio: ['ignore', 'pipe', 'pipe'] },
      )
      const said = linesOf(client.stderr)
      const ended = once(client, 'exit')
      await linesOf(client.stdout).until('the listener', line => line.startsWith('ready'))
      const victims = new Map(processesOf(run.value).map(({ program, pid }) => [program, pid]))
      for (const program of order) process.kill(victims.get(program)!, 'SIGKILL')
      const [code] = await ended
      await untilNothing('processes of standin', () => processesOf(run.value))
      const lines = said.all.filter(line => line.startsWith('standin: the server'))
      assert.equal(lines.length, 1, said.all.join('\n'))
      assert.match(
        lines[0]!,
        /^standin: the server .*of ".*9950" \(pid \d+\) ended; its processes were ended too$/,
      )
      assert.equal(code, 125)
    })
})
