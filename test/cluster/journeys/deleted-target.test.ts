// A pod that is deleted while standin attaches to it: what is said, by the step at which it happens, and that nothing is left.
import assert from 'node:assert/strict'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { published } from '../../stage/published.ts'
import { until } from '../run.ts'
import { startCuttingProxy } from '../stage/cutting-proxy.ts'
import { startTarget } from '../stage/delivered-agent.ts'
import { freshNamespace, kubectl } from '../stage/kubectl.ts'
import { difference, objects } from '../stage/objects.ts'
import { processesOfPod } from '../stage/session-pod-processes.ts'
import { clusterEnvironment, type StandinRun, StandinRuns } from '../stage/session-run.ts'
import { untilNoAgents } from '../stage/session-stand.ts'

type Line = {
  event: string
  state?: string
  message?: string
  error?: { kind: string; message: string; retryable: boolean }
}

describe('a pod that is deleted while standin attaches to it', () => {
  const mark = markRun()
  const runs = new StandinRuns(clusterEnvironment(mark.environment))
  let namespace: string
  let remove: () => Promise<void>
  before(async () => {
    ;({ name: namespace, remove } = await freshNamespace('deleted'))
  })
  after(() => remove?.())
  afterEach(async () => {
    await runs.end()
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })

  const lines = (run: StandinRun) =>
    run.stderr.all.map(line => published('ExecLine', line) as unknown as Line)

  /** At the step nothing gets through to the cluster until the pod is gone, so that the step never comes to its end before. */
  async function deletedAt(step: string, args: readonly string[] = []): Promise<Line[]> {
    const before = await objects({ namespaces: [namespace] })
    const name = `doomed-${step}`
    const { pod } = await startTarget(namespace, name)
    const proxy = await startCuttingProxy()
    try {
      const of = { namespace, target: `pod/${name}/container/web` }
      const run = runs.exec(of, ['sleep', '1000'], {
        args: ['--output', 'json', ...args],
        environment: { KUBECONFIG: proxy.kubeconfig },
      })
      await run.stderr.until(`the step ${step}`, line => line.includes(`"step":"${step}"`), 60_000)
      proxy.silence()
      await kubectl(['-n', namespace, 'delete', 'pod', name, '--grace-period=0', '--force'])
      // Its node kills it a moment after it is gone from the API.
      const { uid = '' } = pod.metadata ?? {}
      await until('the end of its processes', 30_000, async () => processesOfPod(uid, /./).length === 0)
      proxy.restore()
      const over = (line: string) => /"event":"error"|"state":"(stopped|failed)"/.test(line)
      const end = await run.stderr.until('the end of the session', over, 60_000)
      // A command whose session has ended runs on.
      if (end.includes('"stopped"')) run.child.kill('SIGTERM')
      await run.code
      await untilNoAgents(namespace)
      const nothing = { left: [], taken: [] }
      assert.deepEqual(difference(before, await objects({ namespaces: [namespace] })), nothing)
      return lines(run)
    } finally {
      await proxy.end()
    }
  }

  for (const [step, args] of Object.entries({ pull: ['-i', 'localhost/none:1'], deliver: [] }))
    it(`at the step "${step}" is told so, the command never runs, and nothing is left`, async () => {
      const told = await deletedAt(step, args)
      const last = told.at(-1)
      assert.equal(last?.error?.kind, 'pod-ended', JSON.stringify(told))
      assert.equal(last.error.message, `Cannot attach to pod "doomed-${step}": it was deleted meanwhile`)
      assert.equal(last.error.retryable, true)
      assert.ok(!told.some(({ event }) => event === 'ready'))
    })

  // The agent has entered the pod by then: there is a session, which learns that its target is gone.
  it('at the step "link" ends the session that comes of it, says so, and nothing is left', async () => {
    const told = await deletedAt('link')
    const states = told.flatMap(({ state }) => (state === undefined ? [] : [state]))
    assert.deepEqual(states.slice(0, 1), ['starting'])
    assert.match(states.at(-1) ?? '', /^(stopped|failed)$/)
    const warned = told.some(
      ({ event, message }) => event === 'notice' && message?.includes('pod/doomed-link'),
    )
    assert.ok(warned || told.at(-1)?.event === 'error', JSON.stringify(told))
  })
}).timeout(120_000)
