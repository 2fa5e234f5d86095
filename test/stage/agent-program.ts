// Runs the agent program as the server does: asks it a question, or starts it at a target and links to it.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createConnection } from 'node:net'
import type { LinkStream } from '../../protocol/link/link-stream.ts'
import { programPath } from '../../protocol/programs.ts'
import { connectLink, type Link } from '../../server/link/connect.ts'
import { linesOf } from './lines.ts'
import { Mailbox } from './mailbox.ts'

export type Line = Record<string, unknown>
export type Answer = { lines: Line[]; code: number | null }
type Failed = { failure: { kind: string; values: Line; detail?: string } }

const started = new Set<ChildProcess>()

/** Kills the agents that a test left, which would otherwise keep the test program itself alive. */
export async function killAgents(): Promise<void> {
  for (const child of started) child.kill('SIGKILL')
  await Promise.all([...started].map(ended))
  started.clear()
}

/** What the agent prints for one question; `through` is a command to put before it. */
export async function askAgent(args: readonly string[], through: readonly string[] = []): Promise<Answer> {
  const [program, ...rest] = [...through, process.execPath, programPath('agent'), ...args]
  const child = spawn(program!, rest, { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = linesOf(child.stdout)
  await once(child, 'close')
  return { lines: lines.all.map(line => JSON.parse(line) as Line), code: child.exitCode }
}

/** The failure that the agent prints instead of an answer; with exit code 1, and nothing else. */
export async function failureOf(
  args: readonly string[],
  through: readonly string[] = [],
): Promise<Failed['failure']> {
  const { lines, code } = await askAgent(args, through)
  assert.equal(lines.length, 1, JSON.stringify(lines))
  assert.equal(code, 1)
  return (lines[0] as Failed).failure
}

export type Resolved = { pid: number; startTime: string; enter: string[]; target: Line }

export async function resolved(target: string, through: readonly string[] = []): Promise<Resolved> {
  const { lines, code } = await askAgent(['resolve', target], through)
  assert.equal(code, 0, JSON.stringify(lines))
  return lines[0] as Resolved
}

export type StartedAgent = {
  child: ChildProcess
  /** Its first line: where it listens, or a failure. */
  first: Line
  privateKey: ReturnType<typeof generateKeyPairSync>['privateKey']
}

type StartOptions = { through?: readonly string[]; graceMs?: number; startTime?: string }

export async function startAgent(
  target: string,
  found: Resolved,
  options: StartOptions = {},
): Promise<StartedAgent> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const key = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  const named = ['--pid', `${found.pid}`, '--start-time', options.startTime ?? found.startTime]
  const session = ['--session', 's1', '--key', key, '--grace-ms', `${options.graceMs ?? 30_000}`]
  const before = [...(options.through ?? []), ...found.enter]
  const [program, ...rest] = [
    ...before,
    process.execPath,
    programPath('agent'),
    'attach',
    target,
    ...named,
    ...session,
  ]
  const child = spawn(program!, rest, { stdio: ['pipe', 'pipe', 'inherit'] })
  started.add(child)
  child.stdin.on('error', () => undefined)
  const line = await linesOf(child.stdout).until('the first line of the agent', () => true)
  return { child, first: JSON.parse(line) as Line, privateKey }
}

export type LinkedAgent = StartedAgent & {
  link: Link
  said: Mailbox<Line>
  streams: Mailbox<{ stream: LinkStream; opened: Line }>
  /** The value that answers a request. */
  ask(request: Line): Promise<Line>
  /** The failure that answers a request. */
  fail(request: Line): Promise<Failed['failure']>
  /** Ends its input, as a server does that leaves, and waits until it is gone. */
  end(): Promise<void>
}

export async function attachAgent(target: string, options: StartOptions = {}): Promise<LinkedAgent> {
  const started = await startAgent(target, await resolved(target, options.through), options)
  assert.ok('listening' in started.first, JSON.stringify(started.first))
  const said = new Mailbox<Line>()
  const streams: LinkedAgent['streams'] = new Mailbox()
  const link = connectLink({
    dial: async () => {
      const socket = createConnection({ path: `\0${started.first.listening}` })
      await once(socket, 'connect')
      return socket
    },
    session: 's1',
    privateKey: started.privateKey,
    graceMs: 5_000,
    onControl: value => said.add(value as Line),
    onOpen: (stream, opened) => streams.add({ stream, opened: opened as Line }),
    onState: () => undefined,
  })
  await link.ready
  let id = 0
  const answerTo = (request: Line) => {
    id += 1
    const own = id
    link.endpoint.control({ ...request, id: own })
    return said.take(`the answer to ${JSON.stringify(request)}`, value => value.id === own)
  }
  return {
    ...started,
    link,
    said,
    streams,
    async ask(request) {
      const answer = await answerTo(request)
      assert.ok('value' in answer, JSON.stringify(answer))
      return answer.value as Line
    },
    async fail(request) {
      const answer = await answerTo(request)
      assert.ok('failure' in answer, JSON.stringify(answer))
      return answer.failure as Failed['failure']
    },
    async end() {
      link.close('the test is over')
      started.child.stdin?.end()
      await ended(started.child)
    },
  }
}

/** Waits until the program is gone. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}
