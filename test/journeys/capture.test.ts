// The passive capture on real namespaces: what is mirrored is what the pod received and sent, byte for byte.
import assert from 'node:assert/strict'
import type { ChildProcess, StdioOptions } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type Cable, connectNamespaces, type Namespace, startNamespace } from '../stage/namespace.ts'

type Line = Record<string, never> & {
  connection: string
  direction: 'received' | 'sent'
  caller: { address: string; port: number }
  joined: boolean
  bytes: number
  skipped: number
  end: string
  sha256: string
}
type Served = { caller: { address: string; port: number }; received: string; sent: string; sentBytes: number }

const port = 8080
const deadlineMs = 30_000
const file = (name: string) => fileURLToPath(new URL(`capture/${name}`, import.meta.url))

/** The JSON lines of a child, and a wait for the state that they add up to. */
class Lines<T> {
  readonly all: T[] = []
  readonly #child: ChildProcess
  #rest = ''
  constructor(child: ChildProcess) {
    this.#child = child
    child.stdout!.on('data', text => {
      const lines = (this.#rest + text).split('\n')
      this.#rest = lines.pop()!
      this.all.push(...lines.map(line => JSON.parse(line)))
      child.emit('lines')
    })
    child.on('close', () => child.emit('lines'))
  }

  async until(what: string, holds: (lines: readonly T[]) => boolean): Promise<void> {
    const signal = AbortSignal.timeout(deadlineMs)
    while (!holds(this.all)) {
      if (this.#child.exitCode !== null) throw new Error(`Cannot go on: the program ended before ${what}`)
      await once(this.#child, 'lines', { signal }).catch(() => {
        throw new Error(`Cannot go on: ${what} was awaited for 30 s; there are ${this.all.length} lines`)
      })
    }
  }
}

const nameOf = (caller: { address: string; port: number }) =>
  `${caller.address.replace('::ffff:', '')}:${caller.port}`

/** Gives back what it gets. */
const echoServer = `
  require('net').createServer({ allowHalfOpen: true }, c => c.pipe(c)).listen(${port}, '::', () => console.log('ready'))`
/** Sends each piece of its input at once, and prints what comes back. */
const pipedCaller = `
  const c = require('net').connect({ port: ${port}, host: process.argv[1], allowHalfOpen: true, noDelay: true })
  process.stdin.pipe(c).pipe(process.stdout)`
const sendAll = `
  const c = require('net').connect({ port: ${port}, host: process.argv[1], allowHalfOpen: true })
  process.stdin.pipe(c).resume()`

describe('the passive capture', () => {
  let pod: Namespace
  let outside: Namespace
  let cable: Cable
  beforeEach(async () => {
    pod = await startNamespace()
    outside = await startNamespace({ beside: pod })
    cable = await connectNamespaces(outside, pod)
  })
  afterEach(() => Promise.all([pod.end(), outside.end()]))

  async function record(subscription: object) {
    const args = ['--import', 'tsx', file('recorder.ts')]
    const child = pod.spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    const lines = new Lines<Line>(child)
    child.stdin!.write(`${JSON.stringify(subscription)}\n`)
    await lines.until('the subscription', all => all.some(line => 'subscribed' in line))
    return { child, lines, streams: () => lines.all.filter(line => 'connection' in line) }
  }

  async function serve(host: string) {
    const child = pod.spawn(process.execPath, [file('pod.mjs'), host, String(port)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const lines = new Lines<Served>(child)
    await lines.until('the pod listening', all => all.length > 0)
    return lines
  }

  /** By default so little that the ring holds all of it, and the test does not hang on how soon a busy machine lets the capture run. */
  async function call(from: Namespace, host: string, count: number, largestBytes = 2 ** 18) {
    const args = [file('callers.mjs'), host, String(port), String(count), '20', String(largestBytes)]
    await from.run(process.execPath, ...args)
  }

  const routes = [
    { name: 'a cable and IPv4', host: () => cable.second.ipv4, from: () => outside },
    { name: 'a cable and IPv6', host: () => cable.second.ipv6, from: () => outside },
    { name: 'loopback and IPv4', host: () => '127.0.0.1', from: () => pod },
    { name: 'loopback and IPv6', host: () => '::1', from: () => pod },
    { name: "loopback and the pod's own address", host: () => cable.second.ipv4, from: () => pod },
  ]
  type Recorder = Awaited<ReturnType<typeof record>>

  async function countersOf(recorder: Recorder): Promise<Record<string, number>> {
    recorder.child.stdin!.write('counters\n')
    await recorder.lines.until('the counters', all => all.some(line => 'counters' in line))
    const line = recorder.lines.all.findLast(line => 'counters' in line)
    return (line as never as { counters: Record<string, number> }).counters
  }

  /** Whether each served connection was mirrored as the pod saw it, both ways. */
  async function compare(served: Lines<Served>, recorder: Recorder, count: number) {
    await served.until(`${count} served connections`, all => all.length === count + 1)
    const allEnded = recorder.lines.until('all ended streams', () => recorder.streams().length === 2 * count)
    await allEnded.catch(async fault => {
      throw new Error(`${fault.message}, ${JSON.stringify(await countersOf(recorder))}`)
    })
    assert.equal((await countersOf(recorder)).ringDrops, 0)
    const seen = new Map(recorder.streams().map(line => [`${nameOf(line.caller)} ${line.direction}`, line]))
    for (const connection of served.all.slice(1)) {
      const name = nameOf(connection.caller)
      assert.equal(seen.get(`${name} received`)?.sha256, connection.received)
      assert.equal(seen.get(`${name} sent`)?.sha256, connection.sent)
    }
    assert.deepEqual(new Set(recorder.streams().map(line => line.end)), new Set(['end']))
  }

  const everything = { ports: [port], answers: 'all', loopbackOnly: false }

  for (const route of routes) {
    it(`mirrors 200 connections over ${route.name} byte for byte, both directions`, async () => {
      const recorder = await record(everything)
      const served = await serve('::')
      await call(route.from(), route.host(), 200)
      await compare(served, recorder, 200)
    })
  }

  it('takes only what arrives over loopback when told so, on any of 256 ports', async () => {
    const ports = [port, ...Array.from({ length: 255 }, (_, index) => 20_000 + index * 100)]
    const recorder = await record({ ports, answers: 'all', loopbackOnly: true })
    const served = await serve('::')
    await call(outside, cable.second.ipv4, 5)
    await served.until('5 served connections', all => all.length === 6)
    served.all.splice(1)
    await call(pod, '127.0.0.1', 5)
    await compare(served, recorder, 5)
  })

  for (const side of ['caller', 'pod'] as const) {
    it(`mirrors what arrives again after a narrow cable lost it on the side of the ${side}`, async () => {
      const [device, end] = side === 'caller' ? [cable.first.device, outside] : [cable.second.device, pod]
      const narrow = ['root', 'tbf', 'rate', '200mbit', 'burst', '70k', 'limit', '100k']
      await end.run('tc', 'qdisc', 'add', 'dev', device, ...narrow)
      const recorder = await record(everything)
      const served = await serve('::')
      await call(outside, cable.second.ipv4, 60)
      const dropped = /dropped (\d+)/.exec(await end.run('tc', '-s', 'qdisc', 'show', 'dev', device))
      assert.ok(Number(dropped?.[1]) > 0, 'nothing was lost on the way, so the test shows nothing')
      await compare(served, recorder, 60)
    })
  }

  it('mirrors IPv6 packets beyond 64 KiB byte for byte', async () => {
    for (const [end, { device }] of [
      [outside, cable.first],
      [pod, cable.second],
    ] as const)
      await end.run('ip', 'link', 'set', 'dev', device, 'gso_max_size', '200000', 'gro_max_size', '200000')
    const recorder = await record(everything)
    const served = await serve('::')
    await call(outside, cable.second.ipv6, 20, 2 ** 21)
    await compare(served, recorder, 20)
  })

  it('joins a connection that was open before at its next request', async () => {
    const server = pod.spawn(process.execPath, ['-e', echoServer], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(server.stdout!, 'data')
    const stdio: StdioOptions = ['pipe', 'pipe', 'inherit']
    const caller = outside.spawn(process.execPath, ['-e', pipedCaller, cable.second.ipv4], { stdio })
    const ask = async (text: string) => {
      caller.stdin!.write(text)
      await once(caller.stdout!, 'data')
    }
    await ask('GET /before HTTP/1.1\r\n\r\n')
    const recorder = await record(everything)
    await ask('the tail of a body')
    await ask('GET /after HTTP/1.1\r\n\r\n')
    caller.stdin!.end()
    await recorder.lines.until('both ended streams', () => recorder.streams().length === 2)
    const sha256 = createHash('sha256').update('GET /after HTTP/1.1\r\n\r\n').digest('hex')
    for (const stream of recorder.streams()) {
      assert.deepEqual([stream.joined, stream.end, stream.sha256], [true, 'end', sha256])
    }
  })

  it('names the gap when the ring overflows, and mirrors the next connection exactly', async () => {
    const recorder = await record(everything)
    const served = await serve('::')
    recorder.child.kill('SIGSTOP')
    const bytes = 'head -c 100000000 /dev/zero'
    await outside.run('sh', '-c', `${bytes} | node -e "${sendAll}" ${cable.second.ipv4}`)
    await served.until('the large connection', all => all.length === 2)
    recorder.child.kill('SIGCONT')
    await recorder.lines.until('both ended streams', () => recorder.streams().length === 2)
    for (const stream of recorder.streams()) assert.match(stream.end, /^gap/)
    const before = recorder.streams().length
    await call(outside, cable.second.ipv4, 1)
    await recorder.lines.until('the next connection', () => recorder.streams().length === before + 2)
    const [received, sent] = ['received', 'sent'].map(direction =>
      recorder
        .streams()
        .slice(before)
        .find(line => line.direction === direction),
    )
    assert.deepEqual([received?.sha256, sent?.sha256], [served.all[2]?.received, served.all[2]?.sent])
    const counters = await countersOf(recorder)
    assert.equal(counters.gaps, 1)
    assert.ok(counters.ringDrops! > 0)
  })

  it('leaves no packet socket when no port is subscribed, and begins again when one is', async () => {
    const recorder = await record(everything)
    const served = await serve('::')
    const sockets = async () => (await pod.run('cat', '/proc/net/packet')).trim().split('\n').length - 1
    assert.equal(await sockets(), 1)
    for (const [ports, expected] of [
      [[], 0],
      [[port], 1],
    ] as const) {
      const words = recorder.lines.all.length
      recorder.child.stdin!.write(`${JSON.stringify({ ...everything, ports })}\n`)
      await recorder.lines.until('the next subscription', all => all.length > words)
      assert.equal(await sockets(), expected)
    }
    await call(outside, cable.second.ipv4, 5)
    await compare(served, recorder, 5)
    recorder.child.stdin!.end()
    await recorder.lines.until('the close', all => all.some(line => 'closed' in line))
    assert.equal(await sockets(), 0)
  })

  for (const answers of ['none', 'heads'] as const) {
    it(`mirrors what callers sent byte for byte with answers "${answers}"`, async () => {
      const recorder = await record({ ports: [port], answers, loopbackOnly: false })
      const served = await serve('::')
      await call(outside, cable.second.ipv4, 100)
      await served.until('100 served connections', all => all.length === 101)
      const streams = answers === 'none' ? 100 : 200
      await recorder.lines.until('the ended streams', () => recorder.streams().length === streams)
      for (const connection of served.all.slice(1)) {
        const of = (direction: string) =>
          recorder
            .streams()
            .find(line => nameOf(line.caller) === nameOf(connection.caller) && line.direction === direction)
        assert.equal(of('received')?.sha256, connection.received)
        const sent = of('sent')
        assert.equal(
          sent === undefined ? undefined : sent.bytes + sent.skipped,
          answers === 'none' ? undefined : connection.sentBytes,
        )
      }
    })
  }
})
