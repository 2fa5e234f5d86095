// Real programs that connect to Unix sockets of the pod, by path and by abstract name: each reaches the pod's and never this machine's.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { dirname } from 'node:path'
import { launch, writeProcess } from '../../../protocol/rpc/processes.ts'
import { streamTraffic, trafficEvents } from '../../../protocol/rpc/traffic.ts'
import { inSession } from '../../stage/compared.ts'
import { compile } from '../../stage/compile-programs.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { linesOf } from '../../stage/lines.ts'
import { makeOwnRoot, type OwnRoot } from '../../stage/own-root.ts'
import { programOf } from '../../stage/pod.ts'
import { type Reaching, startReaching } from '../../stage/reaching.ts'

const folder = `/run/standin-test-${process.pid}`
const echo = `${folder}/echo.sock`
const http = `${folder}/http.sock`
const dead = `${folder}/dead.sock`
const both = `${folder}/both.sock`
const abstract = '@standin-test-of-the-pod'
const config = {
  feature: { network: { outgoing: { unix_streams: [`^${folder}/`, '^@standin-test-of-the-pod$'] } } },
}

describe('a program that connects to a Unix socket of the pod', () => {
  let run: ReturnType<typeof markRun>
  let reaching: Reaching
  let root: OwnRoot
  /** Of this machine, at the same path: who is heard there did not reach the pod. */
  let here: Server
  let reachedHere = 0
  beforeEach(async () => {
    run = markRun()
    root = makeOwnRoot()
    for (const path of [echo, http, dead, both]) mkdirSync(dirname(root.outside(path)), { recursive: true })
    mkdirSync(folder)
    here = createServer(socket => {
      reachedHere += 1
      socket.end('this machine')
    }).listen(both)
    await once(here, 'listening')
    reachedHere = 0
    const service = ['python3', programOf('echo-service.py'), '::', '9000'] as const
    reaching = await startReaching(run.environment, service, { command: root.command, config })
    await serve('unix-echo.py', root.outside(echo))
    await serve('unix-echo.py', root.outside(both))
    await serve('unix-echo.py', abstract)
    await serve('unix-http.py', root.outside(http))
  })
  afterEach(async () => {
    await reaching?.end()
    here.close()
    root?.remove()
    rmSync(folder, { recursive: true, force: true })
    await untilNothing('processes of standin', () => processesOf(run.value))
    assert.equal(reachedHere, 0)
  })

  async function serve(program: string, name: string): Promise<void> {
    const child = reaching.pod.namespace.spawn('python3', [programOf(program), name], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await linesOf(child.stdout).until('"listening"', line => line === 'listening')
  }

  const pidOf = (name: string) => processesOf(run.value).find(({ program }) => program === name)!.pid

  /** Lines that a command prints in order, and its exit code. */
  async function said(command: string[]) {
    const { backend, sessionId } = reaching
    const { processId } = await backend.connection.request(launch, { sessionId, command })
    const { code } = await backend.exitOf(processId, 60_000)
    return { code, lines: backend.output(processId).all, errors: backend.output(processId, 'stderr').all }
  }

  async function python(way: string) {
    const { backend, sessionId } = reaching
    const command = ['python3', programOf('unix-connect.py'), way]
    const { processId } = await backend.connection.request(launch, { sessionId, command, stdin: 'pipe' })
    const output = backend.output(processId)
    let count = 0
    return {
      processId,
      output,
      async to(name: string): Promise<Record<string, unknown>> {
        await backend.connection.request(writeProcess, { processId, data: `${name}\n` })
        count += 1
        await output.untilCount('results', count, line => line.startsWith('{'), 30_000)
        return JSON.parse(output.all.filter(line => line.startsWith('{'))[count - 1]!)
      },
    }
  }

  it('in Python, C and curl hears what it says, by each kind of name, and sees the name as its peer', async () => {
    for (const way of ['blocking', 'non_blocking']) {
      const { to } = await python(way)
      for (const [name, bound] of [
        [echo, root.outside(echo)],
        [both, root.outside(both)],
        [abstract, abstract],
      ] as const)
        assert.deepEqual(await to(name), { answer: `hello from ${bound}\nhello`, peer: name, own: '' })
    }
    const c = compile('unix-connect.c', 'c')
    assert.deepEqual((await said([c, echo])).lines, [
      `hello from ${root.outside(echo)}`,
      'hi',
      `${echo} ${echo.length + 3}`,
    ])
    assert.deepEqual((await said([c, abstract])).lines.slice(1), ['hi', `${abstract} ${abstract.length + 2}`])
    const curl = await said(['curl', '-sS', '--unix-socket', http, 'http://anything/some/where'])
    assert.deepEqual([curl.code, curl.lines], [0, ['the pod has /some/where']])
  })

  it('carries 8 MiB each way unchanged, with the half-close of each side', async () => {
    const size = 8 << 20
    const sink = root.outside(`${folder}/plain.sock`)
    await serve('unix-plain-echo.py', sink)
    const { lines } = await said([
      process.execPath,
      programOf('unix-reach.mjs'),
      `${folder}/plain.sock`,
      String(size),
    ])
    assert.deepEqual(lines, [`${size} true`])
  })

  it('hears ENOENT and ECONNREFUSED as in the pod, whatever is at the same path of this machine', async () => {
    const { to } = await python('blocking')
    writeFileSync(`${folder}/only-here.sock`, '')
    assert.deepEqual(await to(`${folder}/only-here.sock`), { errno: 'ENOENT' })
    await leaveDead(root.outside(dead))
    assert.deepEqual(await to(dead), { errno: 'ECONNREFUSED' })
    assert.deepEqual(await to('@standin-test-of-the-pod-no'), { errno: 'ECONNREFUSED' })
    assert.deepEqual(await inSession(reaching, [process.execPath, programOf('unix-reach.mjs'), dead, '1']), {
      code: 0,
      lines: ['ECONNREFUSED'],
    })
  })

  async function leaveDead(path: string): Promise<void> {
    const script = 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])'
    const child = reaching.pod.namespace.spawn('python3', ['-c', script, path], { stdio: 'inherit' })
    await once(child, 'exit')
  }

  it('hears EAGAIN where the queue of the listener is full: at once if it does not block, else when its time is over', async () => {
    const script = `
import contextlib, signal, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(0)
waiting = []
with contextlib.suppress(BlockingIOError):
    while True:
        waiting.append(socket.socket(socket.AF_UNIX))
        waiting[-1].setblocking(False)
        waiting[-1].connect(sys.argv[1])
print("listening", flush=True)
signal.pause()`
    const child = reaching.pod.namespace.spawn('python3', ['-c', script, root.outside(dead)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await linesOf(child.stdout).until('"listening"', line => line === 'listening')
    for (const way of ['non_blocking', 'timed'])
      assert.deepEqual(await (await python(way)).to(dead), { errno: 'EAGAIN' })
  })

  it('shows in the live view by its path, with the rule', async () => {
    const { backend, sessionId } = reaching
    const seen = linesOf()
    backend.connection.on(trafficEvents, ({ events }) => {
      for (const event of events)
        if (event.event === 'outgoingOpened') seen.add(`${event.to.address} ${event.to.port}: ${event.rule}`)
    })
    await backend.connection.request(streamTraffic, { sessionId, credit: 100 })
    await said(['curl', '-sS', '--unix-socket', http, 'http://anything/'])
    await seen.until(
      'the connection',
      line => line === `${http} 0: pattern "^${folder}/" of feature.network.outgoing.unix_streams`,
    )
  })

  it('goes on after the relay was killed, and after the agent was, whose connections end', async () => {
    const { backend } = reaching
    const { to } = await python('blocking')
    const kept = await python('kept')
    const answer = { answer: `hello from ${root.outside(echo)}\nhello`, peer: echo, own: '' }
    assert.deepEqual(await to(echo), answer)
    await backend.connection.request(writeProcess, { processId: kept.processId, data: `${echo}\n` })
    await kept.output.until('a connection', line => line.startsWith('{'))
    process.kill(pidOf('relay'), 'SIGKILL')
    assert.deepEqual(await to(echo), answer)
    const before = pidOf('agent')
    process.kill(before, 'SIGKILL')
    await kept.output.until('its end', line => line.includes('heard'))
    await backend.untilStatus('the reconnecting', ({ state }) => state === 'reconnecting')
    const meanwhile = await to(echo)
    assert.ok('errno' in meanwhile ? meanwhile.errno === 'ENETUNREACH' : meanwhile.peer === echo)
    await backend.untilStatus(
      'the session running again',
      status =>
        backend.statuses
          .slice(backend.statuses.findIndex(({ state }) => state === 'reconnecting'))
          .includes(status) && status.state === 'running',
    )
    assert.deepEqual(await to(echo), answer)
  })

  it('as often as it likes leaves no descriptor in any of our processes', async () => {
    const { to } = await python('often')
    const names = ['server', 'agent', 'relay', 'hook']
    const counted = () => {
      const ours = processesOf(run.value).filter(({ program }) => names.includes(program))
      return new Map(
        ours.map(({ program, pid }) => [`${program} ${pid}`, readdirSync(`/proc/${pid}/fd`).length]),
      )
    }
    const before = counted()
    assert.deepEqual(await to(echo), { right: 300 })
    // A few that each opens when it first needs them.
    await untilNothing('descriptors', () =>
      [...counted()].filter(([name, count]) => count > (before.get(name) ?? count) + 20),
    )
  }).timeout(120_000)

  it('is refused when the target has ended, and nothing of this machine is reached instead', async () => {
    const { backend, pod } = reaching
    const { to } = await python('blocking')
    assert.equal((await to(both)).peer, both)
    pod.server.kill('SIGKILL')
    await backend.untilStatus('the end', ({ state }) => state === 'stopped')
    assert.deepEqual(await to(both), { errno: 'ENETUNREACH' })
  })
})
