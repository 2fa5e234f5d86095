// What is explained is what happens: each connection is made by a hooked program, and goes where the server said that it would.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { programPath } from '../../../protocol/programs.ts'
import { explainConnect } from '../../../protocol/rpc/explain.ts'
import { launch, writeProcess } from '../../../protocol/rpc/processes.ts'
import { startSession, stopSession } from '../../../protocol/rpc/sessions.ts'
import { inSession } from '../../stage/compared.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { startNamedPod, suffix } from '../../stage/named-pod.ts'
import { programOf } from '../../stage/pod.ts'
import { type Reaching, startReaching } from '../../stage/reaching.ts'

const run = promisify(execFile)
const mark = markRun()
const servicePort = 9000
const localPort = 9100

describe('explainConnect', () => {
  let reaching: Reaching
  let local: Server
  before(async () => {
    local = createServer(socket => socket.end('this machine'))
    await new Promise<void>(resolve => local.listen(localPort, '127.0.0.1', resolve))
    reaching = await startReaching(mark.environment, [
      'python3',
      programOf('echo-service.py'),
      '::',
      String(servicePort),
    ])
  })
  after(async () => {
    await reaching?.end()
    local?.close()
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })

  /** Where a program's connections to these go: the pod's network alone has the services, and this machine's no route. */
  async function gone(sessionId: string, to: readonly [string, number][]): Promise<string[]> {
    const { connection, output: outputOf } = reaching.backend
    const command = ['python3', programOf('connect.py'), 'blocking']
    const { processId } = await connection.request(launch, { sessionId, command, stdin: 'pipe' })
    const output = outputOf(processId)
    const data = to.map(([address, port]) => `${address} ${port}\n`).join('')
    await connection.request(writeProcess, { processId, data, end: true })
    await output.untilCount('results', to.length, line => line.startsWith('{'), 30_000)
    return output.all
      .filter(line => line.startsWith('{'))
      .map(line => JSON.parse(line))
      .map(({ answer, errno }) => (answer?.endsWith('hello\n') ? 'pod' : (errno ?? 'here')))
  }

  it('says of a session where its connections go', async () => {
    const { pod, backend } = reaching
    const { ipv4, ipv6 } = pod.cable.second
    const remote = [`${ipv4}:${servicePort}`, '[fd77::9]']
    const config = { feature: { network: { outgoing: { filter: { remote } } } } }
    const { sessionId } = await backend.connection.request(startSession, { target: pod.target, config })
    const to: [string, number][] = [
      [ipv4, servicePort],
      [ipv6, servicePort],
      ['127.0.0.1', localPort],
      ['127.0.0.1', pod.port],
    ]
    const said = await Promise.all(
      to.map(([host, port]) => backend.connection.request(explainConnect, { sessionId, host, port })),
    )
    assert.deepEqual(
      said.map(({ where, rule }) => [where, rule]),
      [
        ['pod', `entry "${ipv4}:${servicePort}" of feature.network.outgoing.filter.remote`],
        ['here', 'no entry of feature.network.outgoing.filter.remote matches'],
        ['here', 'something listens there'],
        ['here', "the process's own port, and nothing listens there yet"],
      ],
    )
    assert.deepEqual(await gone(sessionId, to), ['pod', 'ENETUNREACH', 'here', 'ECONNREFUSED'])
    await backend.connection.request(stopSession, { sessionId })
    await assert.rejects(
      backend.connection.request(explainConnect, { sessionId, host: ipv4, port: 80 }),
      /is stopped/,
    )
  })

  it('knows what a name resolved to when a process looked it up, and the nameserver that it asked', async () => {
    const config = { feature: { network: { outgoing: { filter: { remote: ['web:9000'] } } } } }
    const named = await startNamedPod(mark.environment, { config })
    try {
      const { sessionId, backend, pod } = named
      const ask = (host: string, port: number) =>
        backend.connection.request(explainConnect, { sessionId, host, port })
      assert.equal((await ask('web', 9000)).addresses, undefined)
      await inSession(named, ['python3', '-c', 'import socket; socket.gethostbyname("web")'])
      const { ipv4 } = pod.cable.second
      const rule = `entry "web:9000" of feature.network.outgoing.filter.remote, where web.${suffix} is`
      assert.deepEqual((await ask('web', 9000)).addresses, [{ address: ipv4, where: 'pod', rule }])
      assert.equal((await ask(ipv4, 9000)).rule, rule)
      assert.equal((await ask(ipv4, 9001)).where, 'here')
      assert.equal((await ask(ipv4, 53)).rule, "the pod's nameserver")
    } finally {
      await named.end()
    }
  })

  it('says the same on the command line, from a configuration file alone', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'standin-explain-'))
    const file = join(folder, 'own.json')
    const write = (filter: object) =>
      writeFileSync(file, JSON.stringify({ feature: { network: { outgoing: { filter } } } }))
    const standin = (...args: string[]) =>
      run(process.execPath, [programPath('standin'), 'explain', 'connect', ...args, '-f', file], {
        env: mark.environment,
      })
    try {
      write({ local: ['db.shop:5432'] })
      assert.deepEqual((await standin('db.shop:5432')).stdout.split('\n'), [
        'A TCP connection to db.shop port 5432 stays on this machine: entry "db.shop:5432" of feature.network.outgoing.filter.local.',
        '',
      ])
      const { where } = JSON.parse((await standin('[2001:db8::1]:443', '--output', 'json')).stdout)
      assert.equal(where, 'pod')
      write({ local: ['db:70000'], remote: [] })
      await assert.rejects(standin('db:1'), (failure: { stderr: string }) => {
        assert.match(
          failure.stderr,
          /^standin: Cannot use configuration ".*": feature\.network\.outgoing\.filter: remote and local exclude each other; .*\n/,
        )
        return true
      })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
