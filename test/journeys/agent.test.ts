// The agent program with real processes: finding, describing and entering them, and going when it should.
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createConnection } from 'node:net'
import { portsOf } from '../../agent/targets/listeners.ts'
import { readOwnListeners } from '../../agent/targets/own-listeners.ts'
import {
  type Answer,
  askAgent,
  attachAgent,
  ended,
  failureOf,
  killAgents,
  type Line,
  resolved,
  startAgent,
} from '../stage/agent-program.ts'
import { linesOf } from '../stage/lines.ts'
import { connectNamespaces, type Namespace, startNamespace } from '../stage/namespace.ts'

/** Listens on the ports that it is given, and on each that it reads; says each when it listens. */
const shop = `
const net = require('node:net')
const listen = port => net.createServer().listen(port, '0.0.0.0', () => console.log('listening ' + port))
process.argv.slice(1).forEach(port => listen(Number(port)))
require('node:readline').createInterface({ input: process.stdin }).on('line', port => listen(Number(port))).on('close', () => process.exit())
`
const asNobody = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', '--']

async function startShop(
  space: Namespace,
  ports: readonly number[],
  before: readonly string[] = [],
): Promise<ChildProcess> {
  const words = [...before, process.execPath, '-e', shop, ...ports.map(String)]
  const env = { ...process.env, GREETING: 'hello\nthere', NODE_OPTIONS: '' }
  const child = space.spawn(words[0]!, words.slice(1), { stdio: ['pipe', 'pipe', 'inherit'], env })
  await linesOf(child.stdout).untilCount('listening lines', ports.length, line =>
    line.startsWith('listening'),
  )
  return child
}

function targets({ lines }: Answer): Line[] {
  return lines.filter(line => 'target' in line).map(line => line.target as Line)
}

function childrenOf(pid: number, processes: string): string[] {
  return processes.split('\n').filter(line => line.trim().split(/\s+/)[1] === String(pid))
}

describe('the agent program at processes', () => {
  let space: Namespace
  before(async () => {
    space = await startNamespace()
  })
  after(() => space.end())
  afterEach(killAgents)

  it('lists a process that listens in another network namespace, with name, ports and command', async () => {
    const { pid } = await startShop(space, [8101, 8102])
    const found = targets(await askAgent(['list', '--kinds', 'process'])).find(target => target.pid === pid)
    assert.ok(found)
    assert.deepEqual(found.ports, [8101, 8102])
    assert.equal(found.target, `process/${pid}`)
    assert.equal(found.name, 'node')
    assert.equal(found.ready, true)
    assert.match(String(found.command), /^\S*node -e .*const net/)
  })

  it('lists only targets whose name contains the text', async () => {
    await startShop(space, [8111])
    assert.ok(targets(await askAgent(['list', '--kinds', 'process', '--name', 'nod'])).length > 0)
    assert.deepEqual(targets(await askAgent(['list', '--kinds', 'process', '--name', 'no such name'])), [])
  })

  it('describes a process by the host name, addresses and listeners that it has where it is', async () => {
    const caller = await startNamespace({ beside: space })
    const { second } = await connectNamespaces(caller, space)
    const { pid } = await startShop(
      space,
      [8121],
      ['unshare', '--uts', 'sh', '-c', 'hostname the-shop && exec "$@"', 'sh'],
    )
    const { lines, code } = await askAgent(['describe', `process/${pid}`])
    assert.equal(code, 0)
    const description = lines[0]?.description as Line
    assert.equal(description.hostname, 'the-shop')
    assert.deepEqual(description.addresses, [second.ipv4, second.ipv6])
    assert.deepEqual(description.listeners, [{ address: '0.0.0.0', port: 8121 }])
    assert.equal(description.ownNetwork, true)
    assert.deepEqual(
      (description.needs as Line[]).map(need => need.granted),
      [true, true, true],
    )
    assert.equal(description.sidecar, undefined)
    await caller.end()
  })

  it('sees the mesh sidecar in the network namespace of a process', async () => {
    const meshed = await startNamespace()
    try {
      const { pid } = await startShop(meshed, [8131])
      await startShop(meshed, [15006, 15001], ['bash', '-c', 'exec -a envoy "$@"', 'bash'])
      const { lines } = await askAgent(['describe', `process/${pid}`])
      assert.equal((lines[0]!.description as Line).sidecar, 'istio')
      assert.deepEqual(((lines[0]!.description as Line).target as Line).ports, [8131])
    } finally {
      await meshed.end()
    }
  })

  it('enters a process and tells its environment, ports and name over the link', async () => {
    const { pid } = await startShop(space, [8141])
    const agent = await attachAgent(`process/${pid}`)
    const facts = await agent.ask({ ask: 'describe' })
    assert.equal((facts.environment as Line).GREETING, 'hello\nthere')
    assert.deepEqual(facts.ports, [8141])
    assert.equal(facts.ownNetwork, true)
    assert.equal((facts.target as Line).target, `process/${pid}`)
    await agent.end()
    assert.equal(agent.child.exitCode, 0)
  })

  it('tells when the target listens on another port, also in a child, and not what its neighbours do', async () => {
    const target = await startShop(space, [8151], ['sh', '-c', '"$@"; true', 'sh'])
    const agent = await attachAgent(`process/${target.pid}`)
    await startShop(space, [8152])
    target.stdin?.write('8153\n')
    const event = await agent.said.take('an event about ports', value => value.event === 'ports')
    assert.deepEqual(event.ports, [8151, 8153])
    assert.deepEqual((await agent.ask({ ask: 'describe' })).ports, [8151, 8153])
    await agent.end()
  })

  it('tells that the target has ended, and stays until the server leaves', async () => {
    const target = await startShop(space, [8161])
    const agent = await attachAgent(`process/${target.pid}`)
    target.kill('SIGKILL')
    await agent.said.take('the event targetEnded', value => value.event === 'targetEnded')
    assert.equal((await agent.ask({ ask: 'describe' })).hostname !== '', true)
    await agent.end()
    assert.equal(agent.child.exitCode, 0)
  })

  it('leaves a control frame that is no request unanswered only when it has no id', async () => {
    const { pid } = await startShop(space, [8171])
    const agent = await attachAgent(`process/${pid}`)
    agent.link.endpoint.control({ ask: 'describe' })
    agent.link.endpoint.control({ id: 70, ask: 'dance' })
    const answer = await agent.said.take('the refusal', value => value.id === 70)
    assert.equal((answer.failure as Line).kind, 'frame-invalid')
    await agent.end()
  })

  it('copies what callers say to a subscribed port, and counts it', async () => {
    const { pid } = await startShop(space, [8175, 8176])
    const agent = await attachAgent(`process/${pid}`)
    assert.deepEqual(await agent.ask({ ask: 'subscribe', ports: [8175], answers: 'none' }), {})
    const shout = (port: number, text: string) =>
      space.run('bash', '-c', `printf '${text}' >/dev/tcp/127.0.0.1/${port}`)
    await shout(8176, 'to another port')
    await shout(8175, 'hello')
    const { stream, opened } = await agent.streams.take('the stream of the connection', () => true)
    assert.equal((opened.pod as Line).port, 8175)
    assert.equal(opened.direction, 'received')
    const said = await new Promise<string>(resolve => {
      let text = ''
      stream.events = {
        data: ({ bytes }) => {
          text += bytes
        },
        end: () => resolve(text),
        reset: reason => resolve(`reset: ${reason}`),
      }
    })
    assert.equal(said, 'hello')
    const { connections, gaps, slow, ringDrops } = await agent.ask({ ask: 'counters' })
    assert.deepEqual(
      { connections, gaps, slow, ringDrops },
      { connections: 1, gaps: 0, slow: 0, ringDrops: 0 },
    )
    await agent.ask({ ask: 'subscribe', ports: [], answers: 'none' })
    await agent.end()
    assert.equal(agent.child.exitCode, 0)
  })

  it('ignores Ctrl-C, and ends at SIGTERM', async () => {
    const { pid } = await startShop(space, [8181])
    const agent = await attachAgent(`process/${pid}`)
    agent.child.kill('SIGINT')
    await agent.ask({ ask: 'describe' })
    agent.child.kill('SIGTERM')
    await ended(agent.child)
    assert.equal(agent.child.exitCode, 0)
    agent.link.close('the test is over')
  })

  it('ends when no server came within the grace time', async () => {
    const { pid } = await startShop(space, [8191])
    const target = `process/${pid}`
    const { child } = await startAgent(target, await resolved(target), { graceMs: 200 })
    await ended(child)
    assert.equal(child.exitCode, 0)
  })

  it('has no child process while it runs', async () => {
    const { pid } = await startShop(space, [8201])
    const agent = await attachAgent(`process/${pid}`)
    assert.deepEqual(childrenOf(agent.child.pid!, await space.run('ps', '-e', '-o', 'pid=,ppid=')), [])
    await agent.end()
  })

  it('tells a container without a cgroup of its own by its pid namespace, and not by who started what', async () => {
    const first = await startShop(space, [8221], ['unshare', '--pid', '--fork', '--kill-child'])
    const [pid] = (await space.run('cat', `/proc/${first.pid}/task/${first.pid}/children`)).trim().split(' ')
    await startShop(space, [8222], ['nsenter', '--target', pid!, '--pid'])
    await startShop(space, [8223])
    assert.deepEqual(portsOf(readOwnListeners({ pid: Number(pid), id: 'bare' })), [8221, 8222])
  })

  it('listens where the server is, and not where the target is', async () => {
    const { pid } = await startShop(space, [8211])
    const target = `process/${pid}`
    const { child, first } = await startAgent(target, await resolved(target))
    const names = await space.run('cat', '/proc/self/net/unix')
    assert.equal(names.includes(String(first.listening)), false)
    const socket = createConnection({ path: `\0${first.listening}` })
    await once(socket, 'data')
    socket.destroy()
    child.stdin?.end()
    await ended(child)
  })
})

describe('the agent program refuses', () => {
  let space: Namespace
  before(async () => {
    space = await startNamespace()
  })
  after(() => space.end())
  afterEach(killAgents)

  it('a name that is none', async () => {
    assert.equal((await failureOf(['resolve', 'pod/shop'])).kind, 'target-invalid')
    assert.equal((await failureOf(['resolve', 'container/--help'])).kind, 'target-invalid')
  })

  it('a pid that no process has', async () => {
    assert.equal((await failureOf(['resolve', 'process/4194304'])).kind, 'target-not-found')
  })

  it('a command line that it does not know', async () => {
    assert.equal((await failureOf(['dance'])).kind, 'usage-wrong')
    assert.equal((await failureOf(['attach', 'process/1'])).kind, 'usage-wrong')
  })

  it('to attach to a process that took over the pid of the one that was meant', async () => {
    const { pid } = await startShop(space, [8301])
    const found = await resolved(`process/${pid}`)
    const { first, child } = await startAgent(`process/${pid}`, found, { startTime: '1' })
    await ended(child)
    assert.deepEqual((first.failure as Line).kind, 'target-ended')
    assert.equal(child.exitCode, 1)
  })

  it('to attach to a process that ended, also while its parent has not waited for it', async () => {
    const parent = space.spawn(
      'python3',
      ['-c', 'import os,time\npid=os.fork()\nif pid==0: os._exit(0)\nprint(pid,flush=True)\ntime.sleep(60)'],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    const zombie = Number(await linesOf(parent.stdout).until('the pid of the child', () => true))
    await linesOf(
      space.spawn('sh', ['-c', `until grep -q 'State:.Z' /proc/${zombie}/status; do :; done; echo zombie`], {
        stdio: ['ignore', 'pipe', 'inherit'],
      }).stdout,
    ).until('the end of the child', line => line === 'zombie')
    assert.equal((await failureOf(['resolve', `process/${zombie}`])).kind, 'target-ended')
  })
})

describe('the agent program of an ordinary user', () => {
  let space: Namespace
  before(async () => {
    space = await startNamespace()
  })
  after(() => space.end())
  afterEach(killAgents)

  it("can't look into another user's process, and says whose it is", async () => {
    const { pid } = await startShop(space, [8401])
    const { kind, values } = await failureOf(['resolve', `process/${pid}`], asNobody)
    assert.equal(kind, 'target-unreadable')
    assert.deepEqual(values, { target: `process/${pid}`, pid, owner: 'root' })
  })

  it("says which right is missing for the user's own process in a namespace that root made", async () => {
    const { pid } = await startShop(space, [8411], asNobody)
    const found = await resolved(`process/${pid}`, asNobody)
    assert.deepEqual(found.enter, [])
    assert.equal(found.target.ready, false)
    const { first, child } = await startAgent(`process/${pid}`, found, { through: asNobody })
    await ended(child)
    assert.equal((first.failure as Line).kind, 'right-missing')
    assert.equal(((first.failure as Line).values as Line).right, 'CAP_SYS_ADMIN')
    const { lines } = await askAgent(['describe', `process/${pid}`], asNobody)
    const needs = (lines[0]!.description as Line).needs as Line[]
    assert.deepEqual(
      needs.map(need => need.granted),
      [true, false, false],
    )
    assert.match(String(needs[1]?.fix), /root/)
  })

  it('enters a process in a user namespace that the user made', async () => {
    const own = [
      ...asNobody,
      'unshare',
      '--user',
      '--map-root-user',
      '--net',
      '--uts',
      'sh',
      '-c',
      'hostname mine && exec "$@"',
      'sh',
    ]
    const { pid } = await startShop(space, [8421], own)
    const { lines } = await askAgent(['describe', `process/${pid}`], asNobody)
    const description = lines[0]?.description as Line
    assert.equal(description.hostname, 'mine')
    assert.deepEqual(
      (description.needs as Line[]).map(need => need.granted),
      [true, true, true],
    )
    const agent = await attachAgent(`process/${pid}`, { through: asNobody })
    const facts = await agent.ask({ ask: 'describe' })
    assert.equal(facts.hostname, 'mine')
    assert.deepEqual(facts.ports, [8421])
    await agent.end()
  })
})
