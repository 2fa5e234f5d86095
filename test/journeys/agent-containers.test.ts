// The agent program with real containers of podman, Docker and plain containerd, and with the runtimes out of reach.
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { askAgent, attachAgent, failureOf, killAgents, type Line, resolved } from '../stage/agent-program.ts'
import { compile } from '../stage/compile-programs.ts'
import { type Containers, startContainers } from '../stage/containers.ts'
import { untilState } from '../stage/process-state.ts'

describe('the agent program at containers', () => {
  let containers: Containers
  let folder: string
  /** A command that gives the agent the runtimes' variables. */
  let through: string[]
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'standin-runtimes-'))
    containers = await startContainers()
    through = ['env', ...Object.entries(containers.env).map(([name, value]) => `${name}=${value}`)]
  })
  afterEach(async () => {
    await killAgents()
    await containers.clear()
  })
  after(async () => {
    await containers.end()
    rmSync(folder, { recursive: true })
  })

  /** A folder of programs that comes first in the agent's PATH. */
  function withProgram(name: string, script: string): string[] {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(folder, name), 0o755)
    return [...through, `PATH=${folder}:${process.env.PATH}`]
  }

  /** Only that folder: no runtime is installed there. */
  function withoutRuntimes(): string[] {
    return ['env', `PATH=${mkdtempSync(join(folder, 'empty-'))}`]
  }

  async function listed(...command: string[]): Promise<Line[]> {
    const { lines } = await askAgent(['list', '--kinds', 'container'], command)
    return lines.filter(line => 'target' in line).map(line => line.target as Line)
  }

  it('lists those of podman, of Docker and of every namespace of containerd once each, with their ports', async () => {
    await containers.startInPodman('shop', 8080)
    await containers.startInDocker('cart', 8083)
    await containers.startInContainerd('first', 'web', 8081)
    await containers.startInContainerd('second', 'db', 8082)
    const found = (await listed(...through)).filter(target =>
      ['shop', 'cart', 'web', 'db'].includes(String(target.name)),
    )
    const rows = found.map(({ target, runtime, ports, ready }) => ({ target, runtime, ports, ready }))
    assert.deepEqual(rows, [
      { target: 'container/cart', runtime: 'docker', ports: [8083], ready: true },
      { target: 'container/shop', runtime: 'podman', ports: [8080], ready: true },
      { target: 'container/web', runtime: 'containerd', ports: [8081], ready: true },
      { target: 'container/db', runtime: 'containerd', ports: [8082], ready: true },
    ])
  })

  it('finds a container by name, by id and by the beginning of its id', async () => {
    const id = await containers.startInPodman('shop', 8080)
    const pids = await Promise.all(
      ['shop', id, id.slice(0, 12)].map(async name => (await resolved(`container/${name}`, through)).pid),
    )
    assert.deepEqual(
      new Set(pids),
      new Set([Number(await containers.podman('inspect', '-f', '{{.State.Pid}}', 'shop'))]),
    )
  })

  it('finds a container of containerd by the name that nerdctl or Kubernetes gave it', async () => {
    await containers.startInContainerd('first', 'named', 8083, '--label', 'nerdctl/name=cart')
    const found = await resolved('container/cart', through)
    assert.equal(found.target.runtime, 'containerd')
    assert.deepEqual(found.target.ports, [8083])
  })

  it('refuses a name that two runtimes, or two namespaces of containerd, have', async () => {
    await containers.startInPodman('twice', 8080)
    await containers.startInContainerd('first', 'twice', 8084)
    const { kind, values } = await failureOf(['resolve', 'container/twice'], through)
    assert.equal(kind, 'target-ambiguous')
    assert.equal(values.count, 2)
    await containers.startInContainerd('first', 'again', 8085)
    await containers.startInContainerd('second', 'again', 8085)
    assert.equal((await failureOf(['resolve', 'container/again'], through)).kind, 'target-ambiguous')
  })

  it('finds a container by its cgroup when no runtime can be asked', async () => {
    const id = await containers.startInPodman('shop', 8080)
    const found = await resolved(`container/${id.slice(0, 12)}`, withoutRuntimes())
    assert.equal(found.target.runtime, 'podman')
    assert.deepEqual(found.target.ports, [8080])
    assert.equal(
      (await listed(...withoutRuntimes())).some(target => id.startsWith(String(target.name))),
      true,
    )
  })

  it('counts only what the container itself listens on when it shares the network of another', async () => {
    await containers.startInPodman('shop', 8080)
    await containers.startInPodman('neighbour', 8090, '--network', 'container:shop')
    assert.deepEqual((await resolved('container/shop', through)).target.ports, [8080])
    assert.deepEqual((await resolved('container/neighbour', through)).target.ports, [8090])
  })

  it('says that a container has ended, and that there is none', async () => {
    await containers.startInPodman('shop', 8080)
    await containers.podman('kill', 'shop')
    await containers.podman('wait', 'shop')
    assert.equal((await failureOf(['resolve', 'container/shop'], through)).kind, 'target-ended')
    assert.equal((await failureOf(['resolve', 'container/none'], through)).kind, 'target-not-found')
  })

  it('enters a container and tells its environment and host name', async () => {
    await containers.startInPodman('shop', 8080, '--env', 'GREETING=hello', '--hostname', 'the-shop')
    const agent = await attachAgent('container/shop', { through })
    const facts = await agent.ask({ ask: 'describe' })
    assert.equal((facts.environment as Line).GREETING, 'hello')
    assert.equal(facts.hostname, 'the-shop')
    assert.deepEqual(facts.ports, [8080])
    assert.equal((facts.target as Line).name, 'shop')
    await agent.end()
  })

  for (const runtime of ['podman', 'docker'] as const)
    it(`tells the variables that a container of ${runtime} was made with when its program has written its title over them`, async () => {
      const program = compile('title-over-environment.c', 'c-static')
      const mount = ['--volume', `${program}:/titled:ro`, '--entrypoint', '/titled']
      const start = runtime === 'podman' ? containers.startInPodman : containers.startInDocker
      await start('shop', 8080, ...mount, '--env', 'GREETING=hello')
      const pid = await containers[runtime]('inspect', '--format', '{{.State.Pid}}', 'shop')
      const title = () => readFileSync(`/proc/${pid}/cmdline`, 'latin1')
      await untilState('the title of the program', () => title().startsWith('web: master process'))
      const agent = await attachAgent('container/shop', { through })
      const facts = await agent.ask({ ask: 'describe' })
      assert.equal((facts.environment as Line).GREETING, 'hello')
      const { text } = await agent.said.take('the notice', value => value.event === 'notice')
      assert.match(String(text), /title over its variables; those that the container was made with are given/)
      await agent.end()
    })

  it('tells that a container was stopped while it was attached', async () => {
    await containers.startInPodman('shop', 8080)
    const agent = await attachAgent('container/shop', { through })
    await containers.podman('kill', 'shop')
    await agent.said.take('the event targetEnded', value => value.event === 'targetEnded')
    await agent.end()
  })

  it('names the command of a runtime that does not work, when no other could answer', async () => {
    writeFileSync(join(folder, 'docker'), '#!/bin/sh\necho "the daemon sleeps" >&2\nexit 1\n')
    chmodSync(join(folder, 'docker'), 0o755)
    const only = ['env', `PATH=${folder}:/nowhere`]
    const { kind, values } = await failureOf(['resolve', 'container/shop'], only)
    assert.equal(kind, 'runtime-failed')
    assert.equal(values.reason, 'the daemon sleeps')
    assert.equal(values.command, 'docker inspect --type container shop')
    rmSync(join(folder, 'docker'))
  })

  it('does not wait for a runtime that hangs, and finds the container with another', async () => {
    await containers.startInPodman('shop', 8080)
    const hanging = withProgram('docker', 'exec sleep 600')
    const began = performance.now()
    assert.equal((await resolved('container/shop', hanging)).target.runtime, 'podman')
    assert.ok(performance.now() - began < 15_000)
    rmSync(join(folder, 'docker'))
  })
})
