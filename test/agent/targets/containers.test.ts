// Asking container runtimes, with commands that answer what real ones printed; and choosing among the answers.
import assert from 'node:assert/strict'
import { choose } from '../../../agent/targets/containers.ts'
import { type Container, distinct, isIdPrefix } from '../../../agent/targets/runtimes/container.ts'
import { parseLabels, parseTasks } from '../../../agent/targets/runtimes/containerd.ts'
import { findInDocker, listInDocker, parseInspect } from '../../../agent/targets/runtimes/docker.ts'
import type { Ran, Run } from '../../../agent/targets/runtimes/run.ts'
import type { Failure } from '../../../protocol/errors.ts'

const id = '04d6a977af5ffd215dd1ce58f262667c3d28ccd86a27388fba81bf6d791b56fa'
const shop: Container = { id, name: 'shop', runtime: 'podman', pid: 10584 }
const inspected = (name: string, running = true) =>
  JSON.stringify([
    {
      Id: id,
      Name: name,
      State: { Status: running ? 'running' : 'exited', Running: running, Pid: running ? 10584 : 0 },
    },
  ])

/** Answers each command by its second word. */
function runtime(answers: Record<string, Partial<Ran> | 'missing'>): { run: Run; asked: string[] } {
  const asked: string[] = []
  const run: Run = async command => {
    asked.push(command.join(' '))
    const answer = answers[command[1] ?? ''] ?? 'missing'
    return answer === 'missing' ? answer : { code: 0, stdout: '', stderr: '', ...answer }
  }
  return { run, asked }
}

describe('findInDocker()', () => {
  it('asks for containers only, and reads name, id and pid', async () => {
    const { run, asked } = runtime({ inspect: { stdout: inspected('/shop') } })
    const { containers } = await findInDocker('podman', 'shop', run)
    assert.deepEqual(containers, [shop])
    assert.deepEqual(asked, ['podman inspect --type container shop'])
  })

  it('finds none where the runtime says so, in the words of each', async () => {
    for (const stderr of [
      'Error: inspecting object: no such container nosuch',
      'Error response from daemon: No such container: nosuch',
      'Error: No such object: nosuch',
    ]) {
      const { run } = runtime({ inspect: { code: 1, stdout: '[]\n', stderr } })
      assert.deepEqual(await findInDocker('docker', 'nosuch', run), {
        containers: [],
        failures: [],
        answered: true,
      })
    }
  })

  it('finds none, and fails nothing, where the runtime is not installed', async () => {
    const { run } = runtime({})
    assert.deepEqual(await findInDocker('docker', 'shop', run), {
      containers: [],
      failures: [],
      answered: false,
    })
  })

  it('says why a runtime does not work, and which command shows it', async () => {
    const stderr =
      'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?'
    const { run } = runtime({ inspect: { code: 1, stdout: '[]\n', stderr } })
    const { failures, answered } = await findInDocker('docker', 'shop', run)
    assert.equal(answered, false)
    assert.equal(failures[0]?.message, `Cannot ask container runtime "docker": ${stderr}`)
    assert.equal(
      (failures[0] as Failure).data.fix,
      'Check that "docker inspect --type container shop" works in this terminal',
    )
  })

  it('refuses an answer that is not JSON', async () => {
    const { run } = runtime({ inspect: { stdout: 'warning: hello' } })
    assert.match(String((await findInDocker('docker', 'shop', run)).failures[0]?.message), /not JSON/)
  })
})

describe('listInDocker()', () => {
  it('inspects all running containers with one command, and none with none', async () => {
    const some = runtime({ ps: { stdout: `${id}\nabc\n` }, inspect: { stdout: inspected('shop') } })
    assert.deepEqual((await listInDocker('podman', some.run)).containers, [shop])
    assert.deepEqual(some.asked, ['podman ps -q --no-trunc', `podman inspect --type container ${id} abc`])
    const none = runtime({ ps: {} })
    assert.deepEqual((await listInDocker('podman', none.run)).containers, [])
    assert.equal(none.asked.length, 1)
  })

  it('keeps the others when one ends meanwhile', async () => {
    const { run } = runtime({
      ps: { stdout: `${id}\nabc\n` },
      inspect: { code: 1, stdout: inspected('shop'), stderr: 'Error: No such object: abc' },
    })
    assert.deepEqual((await listInDocker('podman', run)).containers, [shop])
  })
})

describe('parseInspect()', () => {
  it('gives a container that does not run no pid', () => {
    assert.equal(parseInspect(inspected('shop', false), 'podman')?.[0]?.pid, 0)
  })

  it('gives nothing for an answer of another shape', () => {
    assert.equal(parseInspect('{"Id":"x"}', 'podman'), undefined)
    assert.deepEqual(parseInspect('\n', 'podman'), [])
  })
})

describe('parseTasks() and parseLabels()', () => {
  it('read what ctr prints', () => {
    const table = 'TASK    PID      STATUS    \nweb     10648    RUNNING\ndb      0        STOPPED\n'
    assert.deepEqual(parseTasks(table), [
      { id: 'web', pid: 10648, running: true },
      { id: 'db', pid: 0, running: false },
    ])
    assert.deepEqual(parseLabels('{"ID":"web","Labels":{"nerdctl/name":"cart"}}'), { 'nerdctl/name': 'cart' })
    assert.deepEqual(parseLabels('{"ID":"web","Labels":null}'), {})
    assert.deepEqual(parseLabels('no JSON'), {})
  })
})

describe('distinct()', () => {
  it('takes one first process for one container, and the first to tell of it', () => {
    assert.deepEqual(distinct([shop, { ...shop, name: 'x', runtime: 'containerd' }]), [shop])
  })

  it('keeps containers with one id in two namespaces apart', () => {
    assert.equal(
      distinct([
        { ...shop, id: 'web', pid: 1 },
        { ...shop, id: 'web', pid: 2 },
      ]).length,
      2,
    )
  })
})

describe('isIdPrefix()', () => {
  it('takes 4 hex digits and more', () => {
    assert.equal(isIdPrefix('04d6', id), true)
    assert.equal(isIdPrefix('04d', id), false)
    assert.equal(isIdPrefix('shop', 'shop'), false)
  })
})

describe('choose()', () => {
  const told = (containers: Container[], failures: Error[] = [], answered = true) => ({
    containers,
    failures,
    answered,
  })
  const kindOf = (answer: ReturnType<typeof told>) => {
    try {
      choose('shop', answer)
    } catch (error) {
      return (error as Failure).kind ?? (error as Error).message
    }
    return undefined
  }

  it('takes the one that runs, beside ones that do not and runtimes that do not work', () => {
    assert.deepEqual(
      choose('shop', told([{ ...shop, id: 'old', pid: 0 }, shop], [new Error('docker')])),
      shop,
    )
  })

  it('refuses two, one that has ended, and none', () => {
    assert.equal(kindOf(told([shop, { ...shop, id: 'b', pid: 7 }])), 'target-ambiguous')
    assert.throws(() => choose('shop', told([shop, { ...shop, id: 'b', pid: 7 }])), {
      message: /2 containers have that name \(podman 04d6a977af5f, pid 10584; podman b, pid 7\)$/,
    })
    assert.equal(kindOf(told([{ ...shop, pid: 0 }])), 'target-ended')
    assert.equal(kindOf(told([])), 'target-not-found')
  })

  it('fails with the failure of a runtime only when no other answered', () => {
    assert.equal(kindOf(told([], [new Error('docker')], false)), 'docker')
    assert.equal(kindOf(told([], [new Error('docker')], true)), 'target-not-found')
  })
})
