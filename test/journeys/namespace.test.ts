// The test stage itself: namespaces reach each other by their cable, and nothing of them stays.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connectNamespaces, startNamespace } from '../stage/namespace.ts'

const answerOnce = (host: string) => `
  require('net').createServer(c => { c.end('hello'); }).listen(8080, '${host}', () => console.log('listening'))`
const ask = (host: string) => `
  require('net').connect(8080, '${host}').on('data', d => { process.stdout.write(d); process.exit() })`

/** Resolves when no process has that pid. Polls by the kernel's own word; the deadline is mocha's. */
async function untilGone(pid: number): Promise<void> {
  while (existsSync(`/proc/${pid}`)) await new Promise(resolve => setImmediate(resolve))
}

describe('test stage', () => {
  for (const family of ['ipv4', 'ipv6'] as const) {
    it(`a program in one namespace reaches a program in the other by ${family}`, async () => {
      const first = await startNamespace()
      const second = await startNamespace({ beside: first })
      try {
        const cable = await connectNamespaces(first, second)
        const host = cable.second[family]
        const server = second.spawn(process.execPath, ['-e', answerOnce(host)], {
          stdio: ['ignore', 'pipe', 'inherit'],
        })
        await once(server.stdout!, 'data')
        assert.equal(await first.run(process.execPath, '-e', ask(host)), 'hello')
        await Promise.all([first.end(), second.end()])
        assert.ok(!existsSync(`/proc/${server.pid}`))
      } finally {
        await Promise.all([first.end(), second.end()])
      }
    })
  }

  it('leaves no process when the test process is killed with SIGKILL', async () => {
    const script = `
      import { startNamespace } from ${JSON.stringify(new URL('../stage/namespace.ts', import.meta.url).href)}
      const held = await startNamespace()
      const inside = held.spawn('sleep', ['1000'], { stdio: 'ignore' })
      await held.run('true')
      console.log(held.pid + ' ' + inside.pid)`
    const args = ['--import', 'tsx', '--input-type=module', '-e', script]
    const tester = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = await once(tester.stdout, 'data')
    tester.kill('SIGKILL')
    await Promise.all(String(line).trim().split(' ').map(Number).map(untilGone))
  })
})
