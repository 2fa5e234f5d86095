// From the agent's end of the link to a real process: what the process gets, what the views see, and what a copy that is not taken costs.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { Duplex } from 'node:stream'
import { deferred } from '../../clients/rpc/deferred.ts'
import type { Endpoint as Address } from '../../protocol/codec.ts'
import { createEndpoint, type Endpoint } from '../../protocol/link/endpoint.ts'
import type { LinkStream } from '../../protocol/link/link-stream.ts'
import type { TrafficEvent } from '../../protocol/rpc/traffic.ts'
import { createIncoming, type Incoming } from '../../server/incoming/incoming.ts'
import type { AnnouncedConnection, DeliveryListener } from '../../server/incoming/listener.ts'
import { createTraffic } from '../../server/traffic/traffic.ts'
import { openedOf } from '../server/incoming/fake-stream.ts'
import { type Lines, linesOf } from '../stage/lines.ts'

const hashOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
const keptAlive = (path: string) => `GET ${path} HTTP/1.1\r\nHost: shop\r\n\r\n`

/** Two carriers, each the other's end. */
function carriers(): [Duplex, Duplex] {
  const ends: Duplex[] = []
  const end = (other: number) =>
    new Duplex({
      read: () => {},
      write: (chunk, _encoding, done) => {
        ends[other]?.push(chunk)
        setImmediate(done)
      },
    })
  ends.push(end(1), end(0))
  return [ends[0]!, ends[1]!]
}

/** Resolves when no socket of this network namespace is in SYN_SENT (proc(5), /proc/net/tcp: state 02). */
async function noConnectGoesOn(): Promise<void> {
  const untilMs = performance.now() + 5_000
  while (/^ *\d+: \S+ \S+ 02 /m.test(readFileSync('/proc/self/net/tcp', 'latin1'))) {
    assert.ok(performance.now() < untilMs, 'a connect that was given up goes on after 5 s')
    await new Promise(setImmediate)
  }
}

type Announced = { source: Address; caller: Address; pod: Address }

/** A session's near end of the link with its delivery, and the agent's end in the test's hands. */
class Session {
  readonly announced: Announced[] = []
  retracted = 0
  /** Called before an announcement is answered. */
  onAnnounce: (connection: Announced) => Promise<void> | void = () => {}
  /** Called when a connection stands; whether the process has it. */
  onConnected: (to: Address) => Promise<boolean> = async () => true
  /** Where the process listens. */
  listener: Address | undefined
  readonly notices: Lines = linesOf()
  readonly traffic = createTraffic()
  readonly incoming: Incoming
  readonly agent: Endpoint
  readonly #server: Endpoint
  #connections = 0
  #onAsked = () => {}
  readonly #events: TrafficEvent[] = []
  readonly #waiting = new Set<(event: TrafficEvent) => void>()

  constructor() {
    this.incoming = createIncoming({
      traffic: this.traffic,
      listenerFor: () => this.#listenerFor(),
      onLost: reason => this.notices.add(reason),
      onNotice: text => this.notices.add(text),
    })
    const onDetached = (reason: string) => this.notices.add(`detached: ${reason}`)
    this.agent = createEndpoint({ role: 'agent', onControl: () => {}, onOpen: () => {}, onDetached })
    this.#server = createEndpoint({
      role: 'server',
      onControl: () => {},
      onOpen: (stream, payload) => this.incoming.accept(stream, payload),
      onDetached,
    })
    const [near, far] = carriers()
    this.#server.attach(near, 0n)
    this.agent.attach(far, 0n)
    const send = ({ events }: { events: TrafficEvent[] }) => {
      this.#events.push(...events)
      for (const event of events) for (const look of [...this.#waiting]) look(event)
    }
    this.traffic.addView({ credit: 1e9, bodyBytes: 100, send })
  }

  open(): { stream: LinkStream; id: string } {
    const id = `c${++this.#connections}`
    return { id, stream: this.agent.open(openedOf(id), { oneWay: true }) }
  }

  /** The first event, past or to come, that matches. */
  event<E extends TrafficEvent['event']>(
    event: E,
    matches: (event: Extract<TrafficEvent, { event: E }>) => boolean = () => true,
  ): Promise<Extract<TrafficEvent, { event: E }>> {
    type Wanted = Extract<TrafficEvent, { event: E }>
    const isWanted = (seen: TrafficEvent): seen is Wanted => seen.event === event && matches(seen as Wanted)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`event "${event}" did not come within 15,000 ms`)),
        15_000,
      )
      const look = (seen: TrafficEvent) => {
        if (!isWanted(seen)) return
        clearTimeout(timer)
        this.#waiting.delete(look)
        resolve(seen)
      }
      this.#waiting.add(look)
      const past = this.#events.find(isWanted)
      if (past !== undefined) look(past)
    })
  }

  /** Resolves when delivery asks for the listener. */
  asked(): Promise<void> {
    return new Promise(resolve => {
      this.#onAsked = resolve
    })
  }

  close(): void {
    this.incoming.close('the test is over')
    this.traffic.close()
    this.agent.close('the test is over')
    this.#server.close('the test is over')
  }

  #listenerFor(): DeliveryListener | undefined {
    const { listener } = this
    this.#onAsked()
    return (
      listener && { asked: listener, actual: listener, announce: connection => this.#announce(connection) }
    )
  }

  async #announce(connection: Announced): Promise<AnnouncedConnection> {
    this.announced.push(connection)
    await this.onAnnounce(connection)
    return {
      reached: to => this.onConnected(to),
      retract: () => {
        this.retracted++
      },
    }
  }
}

const isEnded = (line: string) => (JSON.parse(line) as Report).event === 'ended'
type Report = { event: string; port: number; bytes: number; hash: string; error?: string }

type Mode = 'hash' | 'greet' | 'silent' | 'hang-up' | 'slow' | 'never'

/** A listener in a process of its own. */
class Program {
  private constructor(
    readonly child: ChildProcess,
    readonly lines: Lines,
    readonly address: Address,
  ) {}

  static async start(mode: Mode, address = '127.0.0.1', port = 0): Promise<Program> {
    const program =
      mode === 'slow' || mode === 'never'
        ? ['python3', 'test/programs/deliver-slowly.py', mode]
        : [process.execPath, 'test/programs/deliver-listener.mjs', mode, String(port), address]
    const child = spawn(program[0]!, program.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] })
    const lines = linesOf(child.stdout)
    const first = JSON.parse(await lines.until('the listener', () => true)) as Report
    return new Program(child, lines, { address, port: first.port })
  }

  async report(event: string, nth = 1): Promise<Report> {
    const isOne = (line: string) => (JSON.parse(line) as Report).event === event
    await this.lines.untilCount(`report "${event}"`, nth, isOne)
    return JSON.parse(this.lines.all.filter(isOne)[nth - 1] ?? '') as Report
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const exit = once(this.child, 'exit')
    this.child.kill('SIGKILL')
    await exit
  }
}

describe('a mirrored connection on its way to the process', () => {
  let session: Session
  let programs: Program[]

  const listen = async (...args: Parameters<typeof Program.start>) => {
    const program = await Program.start(...args)
    programs.push(program)
    session.listener = program.address
    return program
  }
  const lost = () => ({ ...session.incoming.lost })

  beforeEach(() => {
    session = new Session()
    programs = []
  })
  afterEach(async () => {
    session.close()
    await Promise.all(programs.map(program => program.end()))
  })

  it('2,000 connections of random sizes, 50 at once, reach the process byte for byte, each from the port that was announced', async () => {
    const program = await listen('hash')
    const connections = 2_000
    const sent: string[] = []
    let closed = 0
    const one = async () => {
      const { stream, id } = session.open()
      const bytes = randomBytes(Math.floor(Math.random() ** 4 * 200_000))
      sent.push(hashOf(bytes))
      stream.write({ bytes })
      stream.end()
      const { received, sent: answered } = await session.event(
        'closed',
        ({ connection, side }) => connection === id && side === 'process',
      )
      assert.deepEqual([received, answered], [bytes.length, 64])
      closed++
    }
    const caller = async () => {
      while (sent.length < connections) await one()
    }
    await Promise.all(Array.from({ length: 50 }, caller))
    await program.report('ended', connections)
    const reports = program.lines.all
      .map(line => JSON.parse(line) as Report)
      .filter(({ event }) => event === 'ended')
    assert.deepEqual(reports.map(({ hash }) => hash).sort(), sent.sort())
    const announcedPorts = new Set(session.announced.map(({ source }) => source.port))
    assert.ok(reports.every(({ port }) => announcedPorts.has(port)))
    assert.equal(closed, connections)
    assert.deepEqual(lost(), {})
  })

  it('announces the true caller and the pod before it connects', async () => {
    const program = await listen('hash')
    let acceptedBefore = -1
    session.onAnnounce = () => {
      acceptedBefore = program.lines.all.length - 1
    }
    const { stream } = session.open()
    const { port } = await program.report('accepted')
    const [announced] = session.announced
    const { caller, pod } = openedOf('')
    assert.deepEqual(announced, { caller, pod, source: { address: '127.0.0.1', port } })
    assert.equal(acceptedBefore, 0)
    stream.end()
    await program.report('ended')
  })

  it("keeps the caller's half-close: the process still answers, and only the views see it", async () => {
    await listen('hash')
    const { stream } = session.open()
    const bytes = Buffer.from('all that the caller says')
    stream.write({ bytes })
    stream.end()
    const { received, sent, reason } = await session.event('closed', ({ side }) => side === 'process')
    assert.deepEqual([received, sent, reason], [bytes.length, 64, undefined])
  })

  it('gives the process all bytes and then the reset of the caller', async () => {
    const program = await listen('hash')
    const { stream } = session.open()
    const bytes = randomBytes(100_000)
    stream.write({ bytes })
    await session.event('opened')
    await program.report('accepted')
    stream.reset('reset by the caller')
    const { error, bytes: got } = await program.report('failed')
    assert.deepEqual([error, got], ['ECONNRESET', bytes.length])
    assert.deepEqual(lost(), {})
  })

  for (const [address, expected] of [
    ['::1', '::1'],
    ['::', '::1'],
    ['0.0.0.0', '127.0.0.1'],
    ['127.0.0.9', '127.0.0.1'],
  ] as const) {
    it(`reaches a listener on ${address} from ${expected}`, async () => {
      const program = await listen('hash', address)
      session.open().stream.end()
      await program.report('ended')
      assert.equal(session.announced[0]?.source.address, expected)
      assert.deepEqual(lost(), {})
    })
  }

  it('gets nothing when the process does not have it, and is counted', async () => {
    const program = await listen('hash')
    const asked: Address[] = []
    session.onConnected = async to => {
      asked.push(to)
      return false
    }
    const { stream } = session.open()
    stream.write({ bytes: Buffer.from(keptAlive('/secret')) })
    const { error, bytes } = await program.report('failed')
    assert.deepEqual([error, bytes], ['ECONNRESET', 0])
    assert.deepEqual(asked, [program.address])
    assert.deepEqual([session.retracted, Object.values(lost())], [1, [1]])
  })

  it('gets its bytes only when it is known that the process has it, and what the process says first is not missed', async () => {
    const program = await listen('greet')
    const asked = deferred<void>()
    const known = deferred<boolean>()
    session.onConnected = () => {
      asked.resolve()
      return known.promise
    }
    const { stream } = session.open()
    stream.write({ bytes: Buffer.from('after the greeting') })
    await program.report('greeted')
    assert.ok(program.lines.all.every(line => (JSON.parse(line) as Report).bytes !== 18))
    await asked.promise
    known.resolve(true)
    stream.end()
    const { received, sent } = await session.event('closed', ({ side }) => side === 'process')
    assert.deepEqual([received, sent], [18, 5])
  })

  it('takes its announcement back when it has ended', async () => {
    const program = await listen('hash')
    const { stream } = session.open()
    await program.report('accepted')
    assert.equal(session.retracted, 0)
    stream.end()
    await session.event('closed', ({ side }) => side === 'process')
    assert.equal(session.retracted, 1)
  })

  it('150 connections at once arrive, each once, at a listener that accepts slowly and lets five wait', async () => {
    const program = await listen('slow')
    const connections = 150
    const sent = Array.from({ length: connections }, (_, index) => Buffer.from(`connection ${index}`))
    for (const bytes of sent) {
      const { stream } = session.open()
      stream.write({ bytes })
      stream.end()
    }
    await program.lines.untilCount('the end of each connection', connections, isEnded, 30_000)
    const hashes = program.lines.all
      .filter(isEnded)
      .map(line => (JSON.parse(line) as Report).hash)
      .sort()
    assert.deepEqual(hashes, sent.map(hashOf).sort())
    assert.equal(
      program.lines.all.filter(line => (JSON.parse(line) as Report).event === 'accepted').length,
      connections,
    )
    assert.deepEqual(lost(), {})
  })

  it('is given up when the listener takes no connection for 5 s, together with all that wait behind it', async () => {
    await listen('never')
    const connections = 200
    for (let index = 0; index < connections; index++) session.open().stream.write({ bytes: Buffer.from('x') })
    const seen = new Set<string>()
    const reason = `port ${session.listener?.port} did not take the connection in 5 s`
    const begin = performance.now()
    while (seen.size < connections - 6) {
      const { connection } = await session.event(
        'closed',
        event => event.side === 'process' && event.reason === reason && !seen.has(event.connection),
      )
      seen.add(connection)
    }
    assert.ok(performance.now() - begin < 12_000)
    assert.deepEqual(lost(), { [reason]: seen.size })
  })

  it('takes another source port when the first ones are held, and takes the announcements back', async () => {
    const program = await listen('hash')
    const holders: Server[] = []
    session.onAnnounce = async ({ source }) => {
      if (holders.length >= 3) return
      const holder = createServer().listen(source.port, source.address)
      holders.push(holder)
      await once(holder, 'listening')
    }
    session.open().stream.end()
    await program.report('ended')
    for (const holder of holders) holder.close()
    await session.event('closed', ({ side }) => side === 'process')
    assert.deepEqual([session.announced.length, session.retracted, lost()], [4, 4, {}])
  })

  it('gives up after ten source ports, and says so', async () => {
    await listen('hash')
    const holders: Server[] = []
    session.onAnnounce = async ({ source }) => {
      const holder = createServer().listen(source.port, source.address)
      holders.push(holder)
      await once(holder, 'listening')
    }
    const { stream } = session.open()
    stream.write({ bytes: Buffer.from('x') })
    const { reason } = await session.event('closed', ({ side }) => side === 'process')
    for (const holder of holders) holder.close()
    assert.equal(reason, 'no source port is free on this machine')
    assert.deepEqual([session.announced.length, session.retracted, lost()], [10, 10, { [reason]: 1 }])
  })

  it('holds no more than the window of a process that does not read, while others go on', async () => {
    const silent = await listen('silent')
    const slow = session.open()
    slow.stream.write({ bytes: Buffer.alloc(64 << 20) })
    await silent.report('accepted')
    const program = await listen('hash')
    const total = 8 << 20
    const { stream, id } = session.open()
    stream.write({ bytes: Buffer.alloc(total, 'a') })
    stream.end()
    await session.event('closed', ({ connection, side }) => connection === id && side === 'process')
    const { bytes } = await program.report('ended')
    assert.equal(bytes, total)
    // The kernel's buffers took some MiB; the rest still waits at the agent, whose bound it is to give the copy up.
    assert.ok(slow.stream.queuedBytes > 40 << 20, `${slow.stream.queuedBytes} bytes wait at the agent`)
    slow.stream.reset('the process is too slow')
    const closed = await session.event(
      'closed',
      ({ connection, side }) => connection === slow.id && side === 'process',
    )
    assert.equal(closed.reason, 'the process is too slow')
    assert.deepEqual(lost(), { 'the process is too slow': 1 })
  })

  it('is read to its end, granted and counted when the process hangs up early', async () => {
    const program = await listen('hang-up')
    const { stream, id } = session.open()
    stream.write({ bytes: Buffer.alloc(1000) })
    await program.report('hung-up')
    stream.write({ bytes: Buffer.alloc(8 << 20) })
    stream.end()
    const pod = await session.event('closed', ({ connection, side }) => connection === id && side === 'pod')
    assert.equal(pod.received, 1000 + (8 << 20))
    const process = await session.event(
      'closed',
      ({ connection, side }) => connection === id && side === 'process',
    )
    assert.equal(process.sent, 22)
    assert.deepEqual(lost(), { 'the process closed the connection': 1 })
  })

  it('begins at the next request when the process starts to listen in the middle of it', async () => {
    const { stream, id } = session.open()
    stream.write({ bytes: Buffer.from(keptAlive('/before')) })
    const missed = await session.event('closed', ({ side }) => side === 'process')
    assert.equal(missed.reason, 'nothing listens on port 8080')
    const program = await listen('hash')
    const request = `POST /half HTTP/1.1\r\nContent-Length: 40\r\n\r\n`
    session.listener = undefined
    const asked = session.asked()
    stream.write({ bytes: Buffer.from(request) })
    await asked
    session.listener = program.address
    const body = keptAlive('/within').slice(0, 40).padEnd(40)
    stream.write({ bytes: Buffer.from(body) })
    stream.write({ bytes: Buffer.from(keptAlive('/first')) })
    stream.write({ bytes: Buffer.from(keptAlive('/second')) })
    stream.end()
    const { hash } = await program.report('ended')
    assert.equal(hash, hashOf(Buffer.from(keptAlive('/first') + keptAlive('/second'))))
    const { received } = await session.event(
      'closed',
      ({ connection, side, sent }) => connection === id && side === 'process' && sent > 0,
    )
    assert.equal(received, (keptAlive('/first') + keptAlive('/second')).length)
    assert.deepEqual(lost(), { 'nothing listens on port 8080': 1 })
  })

  it('goes on at the next request when the process is restarted', async () => {
    const first = await listen('silent')
    const { stream } = session.open()
    stream.write({ bytes: Buffer.from(keptAlive('/1')) })
    await first.report('accepted')
    await session.event('request', ({ path }) => path === '/1')
    await first.end()
    await session.event('closed', ({ side }) => side === 'process')
    const second = await listen('hash', '127.0.0.1', first.address.port)
    stream.write({ bytes: Buffer.from(keptAlive('/2')) })
    stream.end()
    const { hash } = await second.report('ended')
    assert.equal(hash, hashOf(Buffer.from(keptAlive('/2'))))
    assert.deepEqual(lost(), {})
  })

  it('goes on at the next request when the process closes after each answer', async () => {
    const program = await listen('hang-up')
    const { stream } = session.open()
    for (const number of [1, 2, 3]) {
      stream.write({ bytes: Buffer.from(keptAlive(`/${number}`)) })
      const { durationMs } = await session.event('response', ({ exchange }) => exchange === number)
      assert.ok(durationMs !== undefined)
      await program.report('hung-up', number)
    }
    stream.end()
    assert.deepEqual(lost(), {})
  })

  it('waits for the listener as long as it has brought no byte, also when it was refused at first', async () => {
    const gone = await listen('hash')
    await gone.end()
    const { stream } = session.open()
    await session.event('closed', ({ side }) => side === 'process')
    const program = await listen('hash')
    stream.write({ bytes: Buffer.from('late') })
    stream.end()
    assert.equal((await program.report('ended')).bytes, 4)
    assert.deepEqual([session.retracted, lost()], [1, {}])
  })

  it('is counted when a listener that was told of is gone', async () => {
    const gone = await listen('hash')
    await gone.end()
    const { stream } = session.open()
    stream.write({ bytes: Buffer.from('x') })
    stream.end()
    await session.notices.until('the notice', () => true)
    assert.deepEqual(lost(), { [`nothing listens on port ${gone.address.port}`]: 1 })
  })

  it('is given up after 5 s when the process does not take connections, and the announcement is taken back', async () => {
    const code =
      'import socket,time\ns=socket.socket()\ns.bind(("127.0.0.1",0))\ns.listen(0)\nprint(s.getsockname()[1],flush=True)\ntime.sleep(60)'
    const child = spawn('python3', ['-c', code], { stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      const port = Number(await linesOf(child.stdout).until('the port', () => true))
      session.listener = { address: '127.0.0.1', port }
      const streams = [1, 2, 3].map(() => session.open().stream)
      for (const stream of streams) stream.write({ bytes: Buffer.from('x') })
      await session.notices.until('the notice', () => true, 10_000)
      const reason = `port ${port} did not take the connection in 5 s`
      assert.ok((lost()[reason] ?? 0) >= 1, JSON.stringify(lost()))
      assert.equal(session.retracted, lost()[reason])
      session.close()
      await noConnectGoesOn()
    } finally {
      const exit = once(child, 'exit')
      child.kill('SIGKILL')
      await exit
    }
  })

  it('is reset to the process when the session ends', async () => {
    const program = await listen('hash')
    const { stream } = session.open()
    stream.write({ bytes: Buffer.from('half a request') })
    await program.report('accepted')
    session.incoming.close('the session ended')
    const { error } = await program.report('failed')
    assert.equal(error, 'ECONNRESET')
  })
})
