// exec --connections says of each connection to loopback, and to Unix sockets, which world it goes to and why: what happens to it is that.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execLine } from '../../../protocol/cli-output.ts'
import { decode } from '../../../protocol/codec.ts'
import { programPath } from '../../../protocol/programs.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { linesOf } from '../../stage/lines.ts'
import { type Pod, programOf, startPod } from '../../stage/pod.ts'

const mark = markRun()
const localPort = 15_001
const sidecarPort = 15_000
const datagramPort = 15_002

describe('exec --connections', () => {
  let pod: Pod
  let local: Server
  let folder: string
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'standin-choices-'))
    pod = await startPod()
    await service('echo-service.py', '::', String(sidecarPort))
    await service('echo-datagrams.py', '127.0.0.1', String(datagramPort))
    local = createServer(socket => socket.on('error', () => {}).end('this machine'))
    await new Promise<void>(listening => local.listen(localPort, '127.0.0.1', listening))
  })
  after(async () => {
    local?.close()
    await pod?.end()
    rmSync(folder, { recursive: true })
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })

  async function service(program: string, ...args: string[]): Promise<void> {
    const child = pod.namespace.spawn('python3', [programOf(program), ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await linesOf(child.stdout).until('the service listening', line => line === 'listening')
  }

  /** What the command printed, and what was said of its connections. */
  async function told(code: string, options: readonly string[] = []) {
    const command = ['python3', '-c', `import socket\n${code}`]
    const args = ['exec', '-t', pod.target, '--connections', ...options, '--', ...command]
    const child = spawn(process.execPath, [programPath('standin'), ...args], {
      ...{ stdio: ['ignore', 'pipe', 'pipe'], env: mark.environment, cwd: folder },
    })
    const [stdout, stderr] = [linesOf(child.stdout), linesOf(child.stderr)]
    await once(child, 'close')
    return {
      printed: stdout.all,
      said: stderr.all
        .map(line => line.replace(/^standin: (out\d+: )?/, '').replace(/after [\d.]+ ms/, 'after MS'))
        // The name is the one that the pod's hosts file has last.
        .map(line => line.replace(/ to \S+ \((127\.0\.0\.1:\d+)\)/, ' to $1'))
        .filter(line => / from the pod|from this machine|ended, /.test(line)),
    }
  }
  const connect = (port: number) => `
try:
    made = socket.create_connection(("127.0.0.1", ${port}), 20)
    made.sendall(b"hello\\n")
    made.shutdown(socket.SHUT_WR)
    print(made.makefile().read().strip().split(" ")[-1], flush=True)
except OSError as failure:
    print(type(failure).__name__, flush=True)`

  it('tells what goes here, what goes to the pod, what is refused there, and what is refused because the port is the process’s own', async () => {
    const { printed, said } = await told([localPort, sidecarPort, 15_009, pod.port].map(connect).join('\n'))
    const refused = 'ConnectionRefusedError'
    assert.deepEqual(printed, ['machine', 'hello', refused, refused])
    const at = (port: number) => `127.0.0.1:${port}`
    assert.deepEqual(
      said.filter(line => !line.startsWith('ended')),
      [
        `connecting to ${at(localPort)} from this machine: something listens there`,
        `connected to ${at(sidecarPort)} from the pod: nothing listens there`,
        `not connected to ${at(15_009)} from the pod, ECONNREFUSED after MS: nothing listens there`,
        `connecting to ${at(pod.port)} from this machine: the process's own port, and nothing listens there yet`,
      ],
    )
  })

  it('tells that a connection goes to the process’s own listener, also where that had to take another port', async () => {
    const held = createServer().listen(pod.port, '127.0.0.1')
    await once(held, 'listening')
    const { printed, said } = await told(`
listener = socket.create_server(("127.0.0.1", ${pod.port}))
made = socket.create_connection(("127.0.0.1", ${pod.port}), 20)
print(listener.accept()[0] is not None, flush=True)`).finally(() => held.close())
    assert.deepEqual(printed, ['True'])
    assert.deepEqual(said, [
      `connecting to 127.0.0.1:${pod.port} from this machine: the process listens there`,
    ])
  })

  it('tells where datagrams go on loopback, with their counts', async () => {
    const { printed, said } = await told(`
made = socket.socket(type=socket.SOCK_DGRAM)
made.settimeout(20)
made.sendto(b"hello", ("127.0.0.1", ${datagramPort}))
print(made.recv(100).decode().split(" ")[-1], flush=True)
own = socket.socket(type=socket.SOCK_DGRAM)
own.bind(("127.0.0.1", 0))
made.sendto(b"own", own.getsockname())
print(own.recv(100).decode(), flush=True)`)
    assert.deepEqual(printed, ['hello', 'own'])
    assert.equal(said[0], `datagrams to 127.0.0.1:${datagramPort} from the pod: nothing listens there`)
    assert.match(said[1]!, /^datagrams to 127\.0\.0\.1:\d+ from this machine: something listens there$/)
    assert.match(said[2]!, /^ended, 1 datagram \(5 bytes\) sent, 1 \(\d+ bytes\) received$/)
    assert.equal(said.length, 3)
  })

  it('tells of Unix sockets which are the pod’s, and which stay because no pattern matches, in the published shape too', async () => {
    const config = join(folder, 'unix.json')
    const outgoing = { unix_streams: ['^/run/of-the-pod/'] }
    writeFileSync(config, JSON.stringify({ feature: { network: { outgoing } } }))
    const code = `
for path in ("/run/of-the-pod/app.sock", "here.sock"):
    try: socket.socket(socket.AF_UNIX).connect(path)
    except OSError as failure: print(type(failure).__name__, flush=True)`
    const { printed, said } = await told(code, ['-f', config])
    assert.deepEqual(printed, ['FileNotFoundError', 'FileNotFoundError'])
    const key = 'feature.network.outgoing.unix_streams'
    assert.deepEqual(said, [
      `not connected to /run/of-the-pod/app.sock from the pod, ENOENT after MS: pattern "^/run/of-the-pod/" of ${key}`,
      `connecting to ${folder}/here.sock from this machine: no pattern of ${key} matches`,
    ])
    const args = ['exec', '-t', pod.target, '--connections', '-f', config, '--output', 'json', '--']
    const child = spawn(
      process.execPath,
      [programPath('standin'), ...args, 'python3', '-c', `import socket\n${code}`],
      {
        ...{ stdio: ['ignore', 'ignore', 'pipe'], env: mark.environment, cwd: folder },
      },
    )
    const lines = linesOf(child.stderr)
    await once(child, 'close')
    const decoded = lines.all.map(line => decode(execLine, JSON.parse(line)))
    const events = decoded.flatMap(line => (line.ok ? [line.value.event] : [JSON.stringify(line.faults)]))
    assert.deepEqual(
      events.filter(event => event.startsWith('outgoing')),
      ['outgoingFailed', 'outgoingStayed'],
    )
    assert.ok(decoded.every(({ ok }) => ok))
  })
})
