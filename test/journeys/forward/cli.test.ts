// standin forward in a terminal, as a user types it: lines as kubectl's, several ports at once, Ctrl-C, and mistakes in one sentence.
import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { errorLine, forwardLine } from '../../../protocol/cli-output.ts'
import { decode } from '../../../protocol/codec.ts'
import { programPath } from '../../../protocol/programs.ts'
import { exchange } from '../../stage/callers.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { linesOf } from '../../stage/lines.ts'
import { type Pod, programOf, startPod } from '../../stage/pod.ts'

const run = promisify(execFile)
const mark = markRun()
const servicePort = 9000

describe('standin forward', () => {
  let pod: Pod
  let folder: string
  const children = new Set<ChildProcess>()
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'forward-cli-'))
    pod = await startPod()
    const service = pod.callers.spawn('python3', [programOf('echo-service.py'), '::', String(servicePort)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await linesOf(service.stdout).until('the service listening', line => line === 'listening')
  })
  after(async () => {
    await pod.end()
    rmSync(folder, { recursive: true })
  })
  afterEach(async () => {
    for (const child of children) if (child.exitCode === null) child.kill('SIGKILL')
    children.clear()
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })

  const forward = (...words: string[]) => start([process.execPath], words)

  function start([program, ...before]: readonly [string, ...string[]], words: readonly string[]) {
    const args = [...before, programPath('standin'), 'forward', '-t', pod.target, ...words]
    const child = spawn(program, args, {
      ...{ stdio: ['ignore', 'pipe', 'pipe'], env: mark.environment, cwd: folder },
    })
    children.add(child)
    const code = new Promise<number | null>(resolve => child.on('close', resolve))
    return { child, code, stdout: linesOf(child.stdout), stderr: linesOf(child.stderr) }
  }

  it('keeps several ports open at once, in lines as kubectl has them, and takes all with it at Ctrl-C', async () => {
    const host = pod.cable.second.ipv4
    const { child, code, stdout, stderr } = forward(
      ...[`15432:${host}:${servicePort}`, `0:[${pod.cable.second.ipv6}]:${servicePort}`],
      ...[`18080:${pod.port}`, `./near.sock:${host}:${servicePort}`],
    )
    await stdout.untilCount('lines', 4, line => line.startsWith('Forwarding'))
    const [first, second, third, fourth] = stdout.all
    assert.equal(first, `Forwarding from 127.0.0.1:15432 -> ${host}:${servicePort}`)
    const [, port] = /^Forwarding from 127\.0\.0\.1:(\d+) -> \[fd77::2\]:9000$/.exec(second!)!
    assert.deepEqual(
      [third, fourth],
      [
        `Forwarding from 127.0.0.1:18080 -> ${pod.port}`,
        `Forwarding from ${folder}/near.sock -> ${host}:${servicePort}`,
      ],
    )
    for (const each of [15432, Number(port)])
      assert.match(await exchange({ to: { address: '127.0.0.1', port: each }, bytes: 'hi\n' }), / hi\n$/)
    await run('curl', ['-sf', '-m', '10', 'http://127.0.0.1:18080/cart'])
    assert.ok(pod.lines.all.some(line => line.startsWith('/cart')))
    const { stdout: bySocket } = await run('python3', ['-c', overUnix, join(folder, 'near.sock')])
    assert.match(bySocket, / hi\n$/)
    child.kill('SIGINT')
    assert.equal(await code, 0, stderr.all.join('\n'))
    assert.ok(!existsSync(join(folder, 'near.sock')))
    await assert.rejects(exchange({ to: { address: '127.0.0.1', port: 15432 }, bytes: '' }), {
      code: 'ECONNREFUSED',
    })
  })

  it('tells why a connection was reset, and goes on', async () => {
    const { child, code, stdout, stderr } = forward(`15432:127.0.0.1:1`)
    await stdout.until('the line', line => line.startsWith('Forwarding'))
    await assert.rejects(exchange({ to: { address: '127.0.0.1', port: 15432 }, bytes: '' }), {
      code: 'ECONNRESET',
    })
    await stderr.until(
      'the reason',
      line =>
        line ===
        'standin: Cannot reach 127.0.0.1:1 from the pod: nothing listens there (ECONNREFUSED); a connection was reset',
    )
    child.kill('SIGTERM')
    assert.equal(await code, 0)
  })

  it('leaves nothing when it is killed: its server and agent end, and nothing listens', async () => {
    const { child, code, stdout } = forward(`15432:localhost:${pod.port}`)
    await stdout.until('the line', line => line.startsWith('Forwarding'))
    child.kill('SIGKILL')
    await code
    await untilNothing('processes of standin', () => processesOf(mark.value))
    await assert.rejects(exchange({ to: { address: '127.0.0.1', port: 15432 }, bytes: '' }), {
      code: 'ECONNREFUSED',
    })
  })

  it('tells that it waits for another agent, and goes on with it', async () => {
    const { child, code, stdout, stderr } = forward(`15432:localhost:${pod.port}`)
    await stdout.until('the line', line => line.startsWith('Forwarding'))
    process.kill(processesOf(mark.value).find(({ program }) => program === 'agent')!.pid, 'SIGKILL')
    await stderr.until('the wait', line => line.startsWith('standin: session reconnecting: '))
    await run('curl', ['-sf', '-m', '20', 'http://127.0.0.1:15432/'])
    child.kill('SIGINT')
    assert.equal(await code, 0)
  })

  it('mirrors a port of the target with --reverse', async () => {
    const heard: string[] = []
    const local = createServer(socket =>
      socket
        .on('error', () => {})
        .once('data', bytes => {
          heard.push(String(bytes).split(' ')[1]!)
          socket.end('HTTP/1.1 500 ours\r\n\r\n')
        }),
    ).listen(0, '127.0.0.1')
    await once(local, 'listening')
    const { port } = local.address() as { port: number }
    const { child, code, stdout, stderr } = forward('-v', '--reverse', `${pod.port}:${port}`)
    await stdout.until('the line', line => line === `Mirroring port 8080 of the target -> 127.0.0.1:${port}`)
    await stderr.until('the capture', line => line.endsWith('Port 8080 of the pod is captured'))
    const { answered, wrong } = await pod.call(20, 2).result
    assert.deepEqual({ answered, wrong }, { answered: 20, wrong: 0 })
    child.kill('SIGINT')
    assert.equal(await code, 0)
    assert.ok(heard.length > 0 && heard.every(path => path.startsWith('/')), heard.join())
    local.close()
  })

  it('needs no hooks: where the kernel lets nobody listen to system calls it works as well', async () => {
    const seccomp = process.arch === 'arm64' ? 277 : 317
    const without = ['python3', resolve('test/stage/without-call.py'), String(seccomp), '1'] as const
    const { child, code, stdout, stderr } = start([...without, process.execPath], [`0:localhost:${pod.port}`])
    const line = await stdout.until('the line', each => each.startsWith('Forwarding'))
    const { stdout: answer } = await run('curl', ['-sf', '-m', '10', line.split(' ')[2]!])
    assert.ok(answer.length > 0)
    child.kill('SIGINT')
    assert.equal(await code, 0, stderr.all.join('\n'))
  })

  it('prints JSON lines as the published schema says', async () => {
    const { child, code, stdout } = forward(
      '--output',
      'json',
      `0:localhost:${pod.port}`,
      '--reverse',
      '8080',
    )
    await stdout.untilCount('lines', 2, () => true)
    for (const line of stdout.all) assert.ok(decode(forwardLine, JSON.parse(line)).ok, line)
    child.kill('SIGINT')
    assert.equal(await code, 0)
  })

  it('ends with the target, and says so', async () => {
    const other = await startPod()
    const { code, stdout, stderr } = forward('-t', other.target, `0:localhost:${other.port}`)
    await stdout.until('the line', line => line.startsWith('Forwarding'))
    await other.end()
    assert.equal(await code, 1)
    assert.ok(
      stderr.all.some(line => line.includes("ended: the target's process ended")),
      stderr.all.join('\n'),
    )
  })

  it('refuses a taken port and leaves nothing, with who to ask for its holder', async () => {
    const holder = createServer().listen(15_433, '127.0.0.1')
    await once(holder, 'listening')
    const { code, stdout, stderr } = forward('15432:localhost:8080', '15433:localhost:8080')
    assert.equal(await code, 1)
    assert.equal(stdout.all.length, 1)
    assert.deepEqual(stderr.all.slice(-2), [
      'standin: Cannot listen on port 15433 of 127.0.0.1: another program listens on it',
      'standin: fix: Take another port, or 0 for a free one; "ss -ltnp sport = :15433" shows the program',
    ])
    holder.close()
    await assert.rejects(exchange({ to: { address: '127.0.0.1', port: 15_432 }, bytes: '' }), {
      code: 'ECONNREFUSED',
    })
  })

  it('refuses what it does not understand before it attaches', async () => {
    for (const [words, reason] of [
      [[], 'nothing is to be forwarded'],
      [['postgres'], '"postgres" is not understood'],
      [['80:we b:1'], '"80:we b:1" has no usable host'],
      [['80:db:1', '80:db:2'], 'local port 80 is named twice'],
      [['--output', 'json', '1:2:3:4'], '"1:2:3:4" does not end with HOST:PORT'],
    ] as const) {
      const { code, stderr } = forward(...words)
      assert.equal(await code, 1)
      const [line] = stderr.all
      assert.ok(line!.includes(reason) || line!.includes(JSON.stringify(reason).slice(1, -1)), line)
      if (words[0] === '--output') assert.ok(decode(errorLine, JSON.parse(line!)).ok)
    }
  })
})

const overUnix = `
import socket, sys
made = socket.socket(socket.AF_UNIX)
made.connect(sys.argv[1])
made.sendall(b"hi\\n")
made.shutdown(socket.SHUT_WR)
print(made.makefile().read(), end="")`
