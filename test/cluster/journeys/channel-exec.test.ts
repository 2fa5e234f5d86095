// What an exec and a log carry, on the real API server.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { getEventListeners, once } from 'node:events'
import { text } from 'node:stream/consumers'
import { Failure } from '../../../protocol/errors.ts'
import { type ExecOptions, exec } from '../../../server/kubernetes/channel/exec.ts'
import { followLog, readLog } from '../../../server/kubernetes/channel/logs.ts'
import type { Api } from '../../../server/kubernetes/client/api.ts'
import { until } from '../run.ts'
import {
  type ChannelPod,
  hashOfKeystream,
  openTestApi,
  startChannelPod,
  writeKeystream,
} from '../stage/channel-pod.ts'
import { type CuttingProxy, startCuttingProxy } from '../stage/cutting-proxy.ts'
import { apply, waitForObject } from '../stage/kubectl.ts'

const MiB = 1 << 20
const never = new AbortController().signal

describe('an exec', () => {
  let pod: ChannelPod
  let proxy: CuttingProxy
  let proxied: Api
  before(async () => {
    pod = await startChannelPod()
    proxy = await startCuttingProxy()
    proxied = await openTestApi(proxy.kubeconfig)
  })
  after(async () => {
    proxied?.close()
    await proxy?.end()
    await pod?.end()
  })

  const start = (command: string[], options: Partial<ExecOptions> = {}, api = pod.api) =>
    exec(api, {
      namespace: pod.namespace,
      pod: pod.pod,
      container: 'main',
      command,
      signal: never,
      ...options,
    })
  const run = async (command: string[], input?: string) => {
    const execution = await start(command, { stdin: input !== undefined })
    if (input !== undefined) execution.stdin.end(input)
    const [stdout, stderr, exit] = await Promise.all([
      text(execution.stdout),
      text(execution.stderr),
      execution.exit,
    ])
    return { stdout, stderr, exit }
  }

  it('gives both outputs apart and the exit code', async () => {
    assert.deepEqual(await run(['echo', 'hello']), { stdout: 'hello\n', stderr: '', exit: { code: 0 } })
    assert.deepEqual(await run(['sh', '-c', 'echo out; echo err >&2; exit 7']), {
      stdout: 'out\n',
      stderr: 'err\n',
      exit: { code: 7 },
    })
    assert.deepEqual((await run(['false'])).exit, { code: 1 })
  })

  it('gives 128 and the number of the signal that ended the command', async () => {
    assert.deepEqual((await run(['sh', '-c', 'kill -9 $$'])).exit, { code: 137 })
    assert.deepEqual((await run(['sh', '-c', 'kill -15 $$'])).exit, { code: 143 })
  })

  it('says why a command could not be started', async () => {
    const { exit } = await run(['no-such-program'])
    assert.ok('message' in exit && /executable file not found/.test(exit.message))
  })

  it('ends the input of the command, however much was written before', async () => {
    assert.equal((await run(['cat'], '')).stdout, '')
    assert.equal((await run(['cat'], 'x')).stdout, 'x')
    assert.equal((await run(['wc', '-c'], 'y'.repeat(32_769))).stdout.trim(), '32769')
  })

  it('carries 50 MiB of output unchanged, with the other output between', async () => {
    const program = `
      const cipher = require('crypto').createCipheriv('aes-128-ctr', Buffer.alloc(16, 'o'), Buffer.alloc(16))
      let left = 50 << 20
      const write = () => {
        while (left > 0) {
          left -= 65536
          if (left % (1 << 20) === 0) process.stderr.write('tick\\n')
          if (!process.stdout.write(cipher.update(Buffer.alloc(65536)))) return process.stdout.once('drain', write)
        }
      }
      write()`
    const execution = await start(['node', '-e', program])
    const hash = createHash('sha256')
    execution.stdout.on('data', chunk => hash.update(chunk))
    const [ticks, exit] = await Promise.all([text(execution.stderr), execution.exit])
    if (!execution.stdout.readableEnded) await once(execution.stdout, 'end')
    assert.equal(hash.digest('hex'), hashOfKeystream('o', 50 * MiB))
    assert.equal(ticks, 'tick\n'.repeat(50))
    assert.deepEqual(exit, { code: 0 })
  })

  it('carries 50 MiB of input unchanged', async () => {
    const execution = await start(['sha256sum'], { stdin: true })
    await writeKeystream(execution.stdin, 'i', 50 * MiB)
    execution.stdin.end()
    assert.equal((await text(execution.stdout)).split(' ')[0], hashOfKeystream('i', 50 * MiB))
    assert.deepEqual(await execution.exit, { code: 0 })
  })

  it('carries 20 MiB through cat and back', async () => {
    const execution = await start(['cat'], { stdin: true })
    const hash = createHash('sha256')
    execution.stdout.on('data', chunk => hash.update(chunk))
    await writeKeystream(execution.stdin, 'c', 20 * MiB)
    execution.stdin.end()
    assert.deepEqual(await execution.exit, { code: 0 })
    if (!execution.stdout.readableEnded) await once(execution.stdout, 'end')
    assert.equal(hash.digest('hex'), hashOfKeystream('c', 20 * MiB))
  })

  it('holds the command back while its output is not read, in bounded memory', async () => {
    const rss = process.memoryUsage().rss
    // It stays until it has been read: a node under load drops what is still on its way when a command has ended.
    const execution = await start(['sh', '-c', 'head -c 209715200 /dev/zero; echo done >&2; sleep 5'])
    // Whatever the command could write by then waits outside of this process.
    let probes = 0
    await until('a while to pass', 10_000, async () => {
      probes += 1
      await run(['true'])
      return probes === 10
    })
    assert.ok(process.memoryUsage().rss - rss < 60 * MiB)
    assert.equal(execution.stderr.readableLength, 0)
    let bytes = 0
    for await (const chunk of execution.stdout) bytes += chunk.length
    assert.equal(bytes, 209_715_200)
    assert.equal(await text(execution.stderr), 'done\n')
  })

  it('takes input that the command never reads, and tells its exit', async () => {
    const { exit, stdout } = await run(['sh', '-c', 'echo over; exit 4'], 'z'.repeat(10_000))
    assert.deepEqual({ exit, stdout }, { exit: { code: 4 }, stdout: 'over\n' })
  })

  it('holds the writer back while the command does not read its input, and ends it with the connection', async () => {
    const abort = new AbortController()
    const execution = await start(
      ['sh', '-c', 'echo begun; sleep 60'],
      { stdin: true, signal: abort.signal },
      proxied,
    )
    let written = 0
    const write = () => {
      while (!execution.stdin.destroyed && execution.stdin.write(Buffer.alloc(65_536))) written += 65_536
    }
    execution.stdin.on('drain', write)
    write()
    await once(execution.stdout, 'data')
    proxy.reset()
    await assert.rejects(execution.exit, /the connection was cut/)
    assert.equal(execution.stdin.destroyed, true)
    assert.ok(written < 40 * MiB, `${written} bytes were taken`)
  })

  it('says that there is no such pod or container', async () => {
    const refused = (options: Partial<ExecOptions>) =>
      start(['true'], options).then(
        () => assert.fail('it was accepted'),
        (error: Failure) => `${error.kind}: ${error.message}`,
      )
    assert.equal(
      await refused({ pod: 'nobody' }),
      `channel-failed: Cannot run a command in pod "nobody": there is no such pod in namespace "${pod.namespace}"`,
    )
    assert.equal(
      await refused({ container: 'side' }),
      'channel-failed: Cannot run a command in pod "channel": container side is not valid for pod channel',
    )
  })

  it('fails with its outputs when the connection is cut', async () => {
    const execution = await start(['sh', '-c', 'echo begun; sleep 60'], {}, proxied)
    const [first] = (await once(execution.stdout, 'data')) as [Buffer]
    assert.equal(first.toString(), 'begun\n')
    execution.stdout.resume()
    proxy.reset()
    const failure = await execution.exit.then(
      () => assert.fail('it ended in order'),
      (error: Failure) => error,
    )
    assert.equal(failure.message, 'Cannot run a command in pod "channel": the connection was cut')
    if (!execution.stdout.closed) await new Promise(resolve => execution.stdout.once('close', resolve))
    assert.equal(execution.stdout.errored, failure)
  })

  it('ends when it is aborted, and leaves no socket and no listener', async () => {
    for (const early of [true, false]) {
      const abort = new AbortController()
      const starting = start(['sleep', '60'], { signal: abort.signal }, proxied)
      if (early) abort.abort()
      const failure = await starting
        .then(execution => {
          abort.abort()
          return execution.exit
        })
        .catch((error: Failure) => error)
      assert.ok(failure instanceof Failure && failure.kind === 'cancelled')
      assert.equal(getEventListeners(abort.signal, 'abort').length, 0)
    }
    await until('the sockets to close', 5_000, async () => (proxy.open === 0 ? true : undefined))
  })
})

describe('a log', () => {
  let pod: ChannelPod
  before(async () => {
    pod = await startChannelPod()
    const container = (name: string, command: string) => ({
      name,
      image: 'localhost/node:20',
      imagePullPolicy: 'Never',
      command: ['sh', '-c', command],
    })
    await apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'talker', namespace: pod.namespace },
      spec: {
        terminationGracePeriodSeconds: 0,
        volumes: [{ name: 'mark', emptyDir: {} }],
        containers: [
          container('lines', 'seq 1 1000; sleep 2; echo last; sleep 1000'),
          {
            ...container(
              'crash',
              'cat /mark/there 2>/dev/null && sleep 1000; echo marked > /mark/there; echo crashed; exit 3',
            ),
            volumeMounts: [{ name: 'mark', mountPath: '/mark' }],
          },
          { ...container('absent', 'true'), image: 'localhost/no-such-image:1' },
        ],
      },
    })
    await waitForObject('the crash', ['-n', pod.namespace, 'pod', 'talker'], found =>
      found?.status.containerStatuses?.some(
        ({ name, restartCount }: { name: string; restartCount: number }) =>
          name === 'crash' && restartCount > 0,
      ),
    )
  })
  after(() => pod?.end())

  const of = (container: string) => ({ namespace: pod.namespace, pod: 'talker', container, signal: never })

  it('is read whole, from its last lines, to a number of bytes, or of the container before', async () => {
    const { api } = pod
    const all = Array.from({ length: 1000 }, (_, index) => `${index + 1}\n`).join('')
    assert.ok((await readLog(api, of('lines'))).startsWith(all))
    assert.equal(await readLog(api, { ...of('lines'), limitBytes: 4 }), '1\n2\n')
    assert.equal(await readLog(api, { ...of('crash'), tailLines: 1, previous: true }), 'crashed\n')
  })

  it('is followed line by line until the signal aborts', async () => {
    const abort = new AbortController()
    const lines: string[] = []
    for await (const line of followLog(pod.api, { ...of('lines'), tailLines: 2, signal: abort.signal })) {
      lines.push(line)
      if (line === 'last') abort.abort()
    }
    assert.equal(lines.at(-1), 'last')
    assert.equal(getEventListeners(abort.signal, 'abort').length, 0)
  })

  it('that is not there is refused with its reason', async () => {
    const reason = (container: string, name = 'talker') =>
      readLog(pod.api, { ...of(container), pod: name }).then(
        () => assert.fail('it was read'),
        (error: Failure) => error.message,
      )
    assert.match(
      await reason('absent'),
      /^Cannot read the log of pod "talker": container "absent" in pod "talker" is waiting to start: /,
    )
    assert.equal(
      await reason('main', 'nobody'),
      `Cannot read the log of pod "nobody": there is no such pod in namespace "${pod.namespace}"`,
    )
  })
})
