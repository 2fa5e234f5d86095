// The passive capture on real namespaces: what is mirrored is what the pod received and sent, byte for byte.
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
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

  async function call(from: Namespace, host: string, count: number, largestBytes = 2 ** 20) {
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
  for (const route of routes) {
    it(`mirrors 200 connections over ${route.name} byte for byte, both directions`, async () => {
      const recorder = await record({ ports: [port], answers: 'all', loopbackOnly: false })
      const served = await serve('::')
      await call(route.from(), route.host(), 200)
      await served.until('200 served connections', all => all.length === 201)
      await recorder.lines.until('400 ended streams', () => recorder.streams().length === 400)
      const seen = new Map(recorder.streams().map(line => [`${nameOf(line.caller)} ${line.direction}`, line]))
      for (const connection of served.all.slice(1)) {
        const name = nameOf(connection.caller)
        assert.equal(seen.get(`${name} received`)?.sha256, connection.received)
        assert.equal(seen.get(`${name} sent`)?.sha256, connection.sent)
      }
      assert.deepEqual(new Set(recorder.streams().map(line => line.end)), new Set(['end']))
    })
  }

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
