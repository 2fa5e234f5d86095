// The bootstrap of an agent as a process of this machine: started with the arguments that its container has, and delivered to.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import type { LinkStream } from '../../protocol/link/link-stream.ts'
import { bootstrapCommand } from '../../server/kubernetes/agent/bundle.ts'
import { deliver } from '../../server/kubernetes/agent/deliver.ts'
import { connectLink, type Link } from '../../server/link/connect.ts'
import { ended, type Line } from './agent-program.ts'
import { type Lines, linesOf } from './lines.ts'
import { Mailbox } from './mailbox.ts'
import type { Namespace } from './namespace.ts'

export type Bootstrap = {
  readonly child: ChildProcess
  /** What it says on standard error: its container's log. */
  readonly log: Lines
  readonly port: number
  readonly keys: { publicKey: KeyObject; privateKey: KeyObject }
  /** A connection to its port. */
  connect(): Promise<Socket>
  /** Brings it the agent for this container and pod; the link's session is "s1". */
  deliver(argv: readonly string[], privateKey?: KeyObject): Promise<void>
}

export type BootstrapOptions = {
  port?: number
  waitSeconds?: number
  /** Command to put before it. */
  through?: readonly string[]
  namespace?: Namespace
  environment?: NodeJS.ProcessEnv
  /** Do not wait until it listens. */
  unlistened?: boolean
  /** In the place of the right key. */
  encodedKey?: string
}

const started = new Set<ChildProcess>()
/** Each has its own, so that none is taken for one that is still ending. */
let lastPort = 7000
const nextPort = (): number => ++lastPort

export async function killBootstraps(): Promise<void> {
  for (const child of started) child.kill('SIGKILL')
  await Promise.all([...started].map(ended))
  started.clear()
}

export async function startBootstrap(options: BootstrapOptions = {}): Promise<Bootstrap> {
  const { port = nextPort(), waitSeconds = 60, through = [], namespace, environment = process.env } = options
  const keys = generateKeyPairSync('ed25519')
  const [, ...args] = await bootstrapCommand({ publicKey: keys.publicKey, port, waitSeconds })
  if (options.encodedKey !== undefined) args[2] = options.encodedKey
  const [program = '', ...words] = [...through, process.execPath, ...args]
  const start = namespace?.spawn ?? spawn
  const child = start(program, words, { stdio: ['ignore', 'inherit', 'pipe'], env: environment })
  started.add(child)
  const connect = () => connected(port)
  const bootstrap: Bootstrap = {
    ...{ child, log: linesOf(child.stderr), port, keys, connect },
    async deliver(argv, privateKey = keys.privateKey) {
      await deliver(await connect(), { privateKey, argv, signal: AbortSignal.timeout(30_000) })
    },
  }
  if (options.unlistened !== true) (await untilConnected(child, connect)).destroy()
  return bootstrap
}

/** Arguments of the agent program for a container of pod "shop". */
export function attachPod(container: string, keys: Bootstrap['keys'], ...more: string[]): string[] {
  const key = keys.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  return [
    ...['attach-pod', container, '--pod', 'shop', '--session', 's1', '--key', key],
    ...(more.includes('--grace-ms') ? more : ['--grace-ms', '30000', ...more]),
  ]
}

export type Marked = { readonly container: string; readonly podUid: string; end(): void }

/** Puts a process into a cgroup such as a container's of a pod; needs root. `end` moves it out again. */
export function markAsContainer(pid: number): Marked {
  const hex = randomBytes(32).toString('hex')
  const podUid = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4000-8000-${hex.slice(12, 24)}`
  const root = ['/sys/fs/cgroup/systemd', '/sys/fs/cgroup/pids', '/sys/fs/cgroup'].find(mkdirable)
  if (root === undefined) throw new Error('no cgroup hierarchy can be written: run as root')
  const folders = ['kubepods-test', `pod${podUid}`, hex].map((_, at, all) =>
    join(root, ...all.slice(0, at + 1)),
  )
  for (const folder of folders) mkdirSync(folder, { recursive: true })
  writeFileSync(join(folders[2]!, 'cgroup.procs'), String(pid))
  return { container: hex, podUid, end: () => empty(folders) }
}

/** A cgroup can be removed when the last process in it has ended; the outermost may be another test's too. */
function empty([outer = '', ...inner]: readonly string[]): void {
  for (const folder of inner.reverse()) rmdirSync(folder)
  try {
    rmdirSync(outer)
  } catch (error) {
    if (!['EBUSY', 'ENOTEMPTY'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}

function mkdirable(root: string): boolean {
  try {
    mkdirSync(join(root, 'kubepods-test'), { recursive: true })
    return true
  } catch {
    return false
  }
}

async function connected(port: number): Promise<Socket> {
  const socket = createConnection({ host: '127.0.0.1', port })
  await once(socket, 'connect')
  return socket
}

/** It says nothing when it listens, so that is asked of the kernel. */
async function untilConnected(child: ChildProcess, connect: () => Promise<Socket>): Promise<Socket> {
  const deadline = Date.now() + 10_000
  for (;;) {
    try {
      return await connect()
    } catch (error) {
      if (child.exitCode !== null) throw new Error(`the bootstrap ended with ${child.exitCode}`)
      if (Date.now() > deadline) throw new Error('the bootstrap did not listen within 10 s', { cause: error })
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }
}

export type DeliveredAgent = {
  readonly link: Link
  readonly said: Mailbox<Line>
  readonly streams: Mailbox<{ stream: LinkStream; opened: Line }>
  /** The value that answers a request. */
  ask(request: Line): Promise<Line>
  /** The failure that answers it. */
  refused(request: Line): Promise<{ kind: string; values: Line }>
}

/** Links to the agent in the bootstrap's place. */
export async function linkDelivered({
  connect,
  keys,
}: {
  connect(signal: AbortSignal): Promise<Duplex>
  keys: Bootstrap['keys']
}): Promise<DeliveredAgent> {
  const said = new Mailbox<Line>()
  const streams: DeliveredAgent['streams'] = new Mailbox()
  const link = connectLink({
    dial: connect,
    session: 's1',
    privateKey: keys.privateKey,
    graceMs: 5_000,
    onControl: value => said.add(value as Line),
    onOpen: (stream, opened) => streams.add({ stream, opened: opened as Line }),
    onState: () => undefined,
  })
  await link.ready
  let id = 0
  const answered = async (request: Line) => {
    id += 1
    const own = id
    link.endpoint.control({ ...request, id: own })
    return said.take(`the answer to ${JSON.stringify(request)}`, value => value.id === own)
  }
  return {
    ...{ link, said, streams },
    async ask(request) {
      const answer = await answered(request)
      assert.ok('value' in answer, JSON.stringify(answer))
      return answer.value as Line
    },
    async refused(request) {
      const answer = await answered(request)
      assert.ok('failure' in answer, JSON.stringify(answer))
      return answer.failure as { kind: string; values: Line }
    },
  }
}
