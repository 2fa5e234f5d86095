// standin forward on a real cluster: to a service by its name as the pod knows it, to the pod itself, and with the errors of the pod's network.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { exchange } from '../../stage/callers.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { kubectl } from '../stage/kubectl.ts'
import { clusterEnvironment, type StandinRun, StandinRuns } from '../stage/session-run.ts'
import { untilNoAgents } from '../stage/session-stand.ts'

const run = promisify(execFile)
const namespace = 'shop'

describe('standin forward', () => {
  const mark = markRun()
  const runs = new StandinRuns(clusterEnvironment(mark.environment))
  afterEach(async () => {
    await runs.end()
    await untilNothing('processes of standin', () => processesOf(mark.value))
    if (!process.env.STANDIN_TEST_SHARED) await untilNoAgents(namespace)
  })

  /** Ports of this machine, one for each word, in its order. */
  async function forwarded(
    words: readonly string[],
    args: readonly string[] = [],
  ): Promise<[StandinRun, number[]]> {
    const standin = runs.start(['forward', '-t', 'deployment/checkout', '-n', namespace, ...args, ...words])
    await standin.stdout.untilCount('lines', words.length, line => line.startsWith('Forwarding'), 90_000)
    return [standin, standin.stdout.all.map(line => Number(/:(\d+) ->/.exec(line)![1]))]
  }

  const ping = (port: number) => exchange({ to: { address: '127.0.0.1', port }, bytes: 'PING\r\nQUIT\r\n' })
  const isReset = { code: 'ECONNRESET' }

  for (const mode of ['a Job', 'an ephemeral container'])
    it(`reaches a service by its short and its long name and the pod itself, through ${mode}`, async () => {
      const words = [
        ':cache:6379',
        `:cache.${namespace}.svc.cluster.local:6379`,
        ':8080',
        ':no-such-name:80',
        ':localhost:1',
      ]
      const [standin, ports] = await forwarded(words, mode === 'a Job' ? [] : ['--ephemeral'])
      const [short, long, itself, nowhere, refused] = ports as [number, number, number, number, number]
      for (const port of [short, long]) assert.match(await ping(port), /^\+PONG/)
      const { stdout } = await run('curl', ['-s', '-m', '20', '-d', 'x', `http://127.0.0.1:${itself}/`])
      assert.match(stdout, /\S/)
      for (const [port, errno] of [
        [nowhere, 'ENOTFOUND'],
        [refused, 'ECONNREFUSED'],
      ] as const) {
        await assert.rejects(exchange({ to: { address: '127.0.0.1', port }, bytes: 'PING\r\n' }), isReset)
        await standin.stderr.until(errno, line =>
          new RegExp(`\\(${errno}\\); a connection was reset`).test(line),
        )
      }
      standin.child.kill('SIGINT')
      assert.equal(await standin.code, 0, standin.stderr.all.join('\n'))
    }).timeout(180_000)

  it('reaches a service by its name without a target, and says that there are no Unix sockets', async () => {
    const words = [':cache:6379', ':/run/some.sock']
    const [standin, [service, socket]] = await forwarded(words, ['-t', 'targetless'])
    assert.match(await ping(service!), /^\+PONG/)
    await assert.rejects(exchange({ to: { address: '127.0.0.1', port: socket! }, bytes: 'x' }), isReset)
    await standin.stderr.until('the reason', line => line.includes('a session without a target has no Unix'))
    standin.child.kill('SIGINT')
    assert.equal(await standin.code, 0, standin.stderr.all.join('\n'))
  }).timeout(120_000)

  it('goes on with the next agent when the one before is deleted', async () => {
    const [standin, [port]] = await forwarded([':cache:6379'], ['-v'])
    assert.match(await ping(port!), /^\+PONG/)
    const job = standin.stderr.all.map(line => /creating Job (\S+)/.exec(line)?.[1]).find(Boolean)
    assert.ok(job)
    await kubectl(['-n', namespace, 'delete', 'job', job, '--wait=false'])
    await standin.stderr.until('the reconnecting', line => line.includes('session reconnecting'), 60_000)
    // New connections wait for the next agent as long as they may, and then are reset.
    const deadline = Date.now() + 60_000
    while (!(await ping(port!).catch(() => '')).startsWith('+PONG'))
      if (Date.now() > deadline) assert.fail('no connection was made by the next agent')
    standin.child.kill('SIGTERM')
    assert.equal(await standin.code, 0, standin.stderr.all.join('\n'))
  }).timeout(180_000)
})
