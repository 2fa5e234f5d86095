// Forwards into a stand-in pod, by address, by the pod's names and to its Unix sockets: whoever connects here talks to what only the pod reaches.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { LocalEnd, PodEnd } from '../../../protocol/rpc/port-ends.ts'
import { closePort, forwardPort } from '../../../protocol/rpc/ports.ts'
import { listSessions } from '../../../protocol/rpc/sessions.ts'
import { exchange } from '../../stage/callers.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { type Lines, linesOf } from '../../stage/lines.ts'
import { makeOwnRoot, type OwnRoot } from '../../stage/own-root.ts'
import { programOf } from '../../stage/pod.ts'
import { type Reaching, startReaching } from '../../stage/reaching.ts'

const run = promisify(execFile)
const mark = markRun()
const servicePort = 9000
const nameserver = '10.77.0.2'

const zone = {
  'postgres.shop.svc.cluster.test': { A: ['10.77.0.2'], AAAA: ['fd77::2'] },
  'six.shop.svc.cluster.test': { AAAA: ['fd77::2'] },
  'second.shop.svc.cluster.test': { A: ['10.77.0.1', '10.77.0.2'] },
  'dotted.example.test': { A: ['10.77.0.2'] },
  'large.svc.cluster.test': { A: ['10.77.0.2'], truncated: true },
  'broken.example.test': { rcode: 2 },
}
const resolvConf = `search shop.svc.cluster.test svc.cluster.test
nameserver ${nameserver}
options ndots:2 timeout:1 attempts:1
`

describe('a forward', () => {
  let reaching: Reaching
  let root: OwnRoot
  let asked: Lines
  let folder: string
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'forwards-'))
    root = makeOwnRoot()
    // As systemd does: only a root of its own leads such a link to the pod's file.
    root.write('/run/resolver/resolv.conf', resolvConf)
    root.link('/etc/resolv.conf', '/run/resolver/resolv.conf')
    root.write(
      '/etc/hosts',
      `127.0.0.1 localhost\n${nameserver} by-hosts # the service\nfd77::2 by-hosts-six\n`,
    )
    const service = ['python3', programOf('echo-service.py'), '::', String(servicePort)] as const
    reaching = await startReaching(mark.environment, service, { command: root.command })
    const { pod } = reaching
    asked = await started(
      pod.callers.spawn('python3', ['-u', programOf('dns-server.py'), nameserver, JSON.stringify(zone)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    )
  })
  after(async () => {
    await reaching?.end()
    root?.remove()
    rmSync(folder, { recursive: true })
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })

  async function started(child: { stdout: NodeJS.ReadableStream | null }): Promise<Lines> {
    const lines = linesOf(child.stdout as Parameters<typeof linesOf>[0])
    await lines.until('"listening"', line => line === 'listening')
    return lines
  }

  async function forward(remote: PodEnd, local?: LocalEnd) {
    const { backend, sessionId } = reaching
    const made = await backend.connection.request(forwardPort, {
      sessionId,
      remote,
      ...(local ? { local } : {}),
    })
    return { ...made, at: made.local as { address: string; port: number } }
  }

  const here = () => reaching.pod.cable.first
  const reset = (error: NodeJS.ErrnoException) => error.code === 'ECONNRESET'
  const told = (text: string) => reaching.backend.messages.until(text, line => line.includes(text))

  for (const [what, host, from] of [
    ['an IPv4 address', nameserver, 'ipv4'],
    ['an IPv6 address', 'fd77::2', 'ipv6'],
    ["a name of the pod's hosts file", 'by-hosts', 'ipv4'],
    ['a name there, in other letters, with an IPv6 address', 'By-Hosts-SIX', 'ipv6'],
    ["a name of the pod's search list", 'postgres', 'ipv4'],
    ['such a name that has an IPv6 address alone', 'six', 'ipv6'],
    ['a whole name', 'dotted.example.test', 'ipv4'],
    ['a whole name with its dot', 'dotted.example.test.', 'ipv4'],
    ['a name whose answer is too long for UDP', 'large', 'ipv4'],
    ['a name whose first address refuses', 'second', 'ipv4'],
  ] as const)
    it(`reaches ${what}, from the pod's address`, async () => {
      const { at } = await forward({ host, port: servicePort })
      assert.equal(at.address, '127.0.0.1')
      const answer = await exchange({ to: at, bytes: 'hello\n' })
      const caller = from === 'ipv4' ? `::ffff:${here().ipv4}` : here().ipv6
      assert.match(answer, new RegExp(`^${caller} \\d+ hello\\n$`))
    })

  it('is named by listSessions until it is closed', async () => {
    const { connection } = reaching.backend
    const remote = { host: 'postgres', port: servicePort }
    const { portId, local } = await forward(remote)
    const forwards = async () => (await connection.request(listSessions, {})).sessions[0]!.forwards
    assert.deepEqual((await forwards()).at(-1), { portId, local, remote })
    await connection.request(closePort, { portId })
    assert.ok((await forwards()).every(one => one.portId !== portId))
  })

  it('asks as a program in the pod would: the search list first for a short name, the name itself first for a long one', async () => {
    const count = asked.all.length
    const { at } = await forward({ host: 'nowhere', port: 1 })
    await assert.rejects(exchange({ to: at, bytes: 'hello\n' }), reset)
    const other = await forward({ host: 'no.where.test', port: 1 })
    await assert.rejects(exchange({ to: other.at, bytes: 'hello\n' }), reset)
    assert.deepEqual(asked.all.slice(count), [
      'asked nowhere.shop.svc.cluster.test A udp',
      'asked nowhere.svc.cluster.test A udp',
      'asked nowhere A udp',
      'asked no.where.test A udp',
      'asked no.where.test.shop.svc.cluster.test A udp',
      'asked no.where.test.svc.cluster.test A udp',
    ])
    await told('Cannot reach nowhere:1 from the pod: the pod knows no such name (ENOTFOUND)')
  })

  it('reads the files again for each connection', async () => {
    const { at } = await forward({ host: 'later', port: servicePort })
    await assert.rejects(exchange({ to: at, bytes: 'hello\n' }), reset)
    root.write('/etc/hosts', `127.0.0.1 localhost\n${nameserver} by-hosts later\nfd77::2 by-hosts-six\n`)
    assert.match(await exchange({ to: at, bytes: 'hello\n' }), / hello\n$/)
  })

  it('says why a connection was reset: a refused one, a nameserver that cannot tell', async () => {
    const refused = await forward({ host: nameserver, port: servicePort + 1 })
    await assert.rejects(exchange({ to: refused.at, bytes: 'hello\n' }), reset)
    await told(
      `Cannot reach ${nameserver}:${servicePort + 1} from the pod: nothing listens there (ECONNREFUSED)`,
    )
    const broken = await forward({ host: 'broken.example.test', port: servicePort })
    await assert.rejects(exchange({ to: broken.at, bytes: 'hello\n' }), reset)
    await told('Cannot reach broken.example.test:9000 from the pod: no nameserver')
    const unreachable = await forward({ host: '192.0.2.1', port: 80 })
    await assert.rejects(exchange({ to: unreachable.at, bytes: 'hello\n' }), reset)
    await told('(ENETUNREACH)')
  })

  it("reaches the pod itself as localhost, and carries what curl says to a server that is not this machine's", async () => {
    const { pod } = reaching
    root.write('/www/index.html', 'the pod\n')
    const server = pod.namespace.spawn('chroot', [
      root.outside('/'),
      '/busybox',
      'httpd',
      '-f',
      '-p',
      '127.0.0.1:8081',
      '-h',
      '/www',
    ])
    const { at } = await forward({ host: 'localhost', port: 8081 })
    const { stdout } = await run('curl', [
      '-s',
      '--retry',
      '20',
      '--retry-all-errors',
      '--retry-delay',
      '0',
      '--retry-max-time',
      '10',
      `http://127.0.0.1:${at.port}/`,
    ])
    assert.equal(stdout, 'the pod\n')
    server.kill('SIGKILL')
  })

  it("reaches the pod's Unix sockets, by a path with links of the pod and by an abstract name", async () => {
    const { pod } = reaching
    const path = root.outside('/run/app/real.sock')
    root.write('/run/app/none', '')
    root.link('/var/app.sock', '/run/app/real.sock')
    for (const name of [path, '@of-the-pod'])
      await started(
        pod.namespace.spawn('python3', [programOf('unix-echo.py'), name], {
          stdio: ['ignore', 'pipe', 'inherit'],
        }),
      )
    const byPath = await forward({ path: '/var/app.sock' })
    assert.equal(await exchange({ to: byPath.at, bytes: 'hi' }), `hello from ${path}\nhi`)
    const abstract = await forward({ path: '@of-the-pod' })
    assert.equal(await exchange({ to: abstract.at, bytes: 'hi' }), 'hello from @of-the-pod\nhi')
    const none = await forward({ path: '/run/app/missing.sock' })
    await assert.rejects(exchange({ to: none.at, bytes: 'hi' }), reset)
    await told('Cannot reach /run/app/missing.sock from the pod: the pod has no such file (ENOENT)')
  })

  it('listens at a Unix socket that is its user alone, and takes the place of a dead one', async () => {
    const path = join(folder, 'near.sock')
    for (const _ of ['nobody has been there', 'a dead one is there']) {
      const made = await forward({ host: 'by-hosts', port: servicePort }, { path })
      assert.deepEqual(made.local, { path })
      assert.equal(statSync(path).mode & 0o777, 0o600)
      const socket = connect(path)
      socket.end('hello\n')
      assert.match(await textOf(socket), / hello\n$/)
      await reaching.backend.connection.request(closePort, { portId: made.portId })
      // What a server that was killed leaves behind.
      await leaveDead(path)
    }
  })

  it('carries 32 MiB each way unchanged, and each half-close by itself', async () => {
    const { at } = await forward({ host: 'by-hosts', port: servicePort })
    const bytes = Buffer.alloc(32 << 20, 'abcdefghijk')
    const socket = connect({ ...{ host: at.address, port: at.port }, allowHalfOpen: true })
    socket.end(bytes)
    const back = await bytesOf(socket)
    assert.ok(back.equals(bytes))
  })

  it('ends with closePort: nothing listens, and what was open is reset', async () => {
    const { connection } = reaching.backend
    const { at, portId } = await forward({ host: 'by-hosts', port: servicePort })
    const socket = connect({ host: at.address, port: at.port })
    socket.write('hello\n')
    await once(socket, 'data')
    const over = once(socket, 'error')
    await connection.request(closePort, { portId })
    assert.equal((await over)[0].code, 'ECONNRESET')
    await assert.rejects(exchange({ to: at, bytes: '' }), { code: 'ECONNREFUSED' })
    await assert.rejects(connection.request(closePort, { portId }), /Cannot find port "s1-f\d+"/)
  })

  it('is refused in one sentence: a taken port, a missing folder, what cannot be meant', async () => {
    const { port } = (await forward({ host: 'by-hosts', port: servicePort })).at
    const remote = { host: 'by-hosts', port: servicePort }
    await assert.rejects(forward(remote, { port }), {
      message: `Cannot listen on port ${port} of 127.0.0.1: another program listens on it`,
    })
    await assert.rejects(
      forward(remote, { path: join(folder, 'no', 'such') }),
      /: its folder does not exist$/,
    )
    for (const [wrong, local, fault] of [
      [remote, { port: 65_536 }, 'local.port: expected at most 65535, got 65536'],
      [remote, { path: 'near.sock' }, 'local.path: expected an absolute path, got "near.sock"'],
      [remote, { path: `/${'x'.repeat(107)}` }, 'local.path: expected at most 107 bytes'],
      [{ path: 'far.sock' }, undefined, 'remote.path: expected an absolute path, or @NAME, got "far.sock"'],
      [{ host: 'a b', port: 1 }, undefined, 'remote.host: expected a name or an IP address, got "a b"'],
      [{ host: '', port: 1 }, undefined, 'remote.host: expected a name or an IP address, got ""'],
    ] as const)
      await assert.rejects(forward(wrong, local), {
        message: `Cannot use params of "forwardPort": ${fault}`,
      })
  })
})

async function bytesOf(socket: Socket): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of socket) parts.push(part)
  return Buffer.concat(parts)
}

async function textOf(socket: Socket): Promise<string> {
  return String(await bytesOf(socket))
}

/** A socket file that nobody listens at any more. */
async function leaveDead(path: string): Promise<void> {
  rmSync(path, { force: true })
  const script = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`
  await run(process.execPath, ['-e', script]).catch(() => {})
  assert.ok(statSync(path).isSocket())
}
