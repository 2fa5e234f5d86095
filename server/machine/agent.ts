// The agent of one session as a process of this machine: started, watched, and gone when the session is.
import type { ChildProcess } from 'node:child_process'
import { connect, type Socket } from 'node:net'
import { listeningLine } from '../../protocol/agent/invocation.ts'
import { decode } from '../../protocol/codec.ts'
import { Failure } from '../../protocol/errors.ts'
import { awaitEnd, childGone } from '../children.ts'
import { orAborted, within } from '../deadline.ts'
import { LineReader } from '../lines.ts'
import type { Agent, AgentOptions } from '../targets/found.ts'
import { readAgentLine, spawnAgent } from './agent-program.ts'
import type { Resolved } from './targets.ts'

const startTimeoutMs = 20_000
const endPatienceMs = 2_000

/** Resolves when the agent has entered the target and listens; cancelled or failed, nothing of it is left. */
export async function startAgent(resolved: Resolved, options: AgentOptions): Promise<Agent> {
  const { signal, log } = options
  signal.throwIfAborted()
  options.onStep('agent', `starting the agent in pid ${resolved.pid}`)
  const key = options.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  const args = [
    ...['attach', resolved.target.target],
    ...['--pid', String(resolved.pid), '--start-time', resolved.startTime],
    ...['--session', options.sessionId, '--key', key, '--grace-ms', String(options.graceMs)],
  ]
  const child = spawnAgent(args, { stdin: 'pipe', enter: resolved.enter, log })
  const gone = childGone(child)
  child.stdin?.on('error', () => {})
  const end = async () => {
    child.stdin?.end()
    await awaitEnd(child, gone, endPatienceMs)
  }
  try {
    const slow = () =>
      new Failure('agent-failed', { reason: `it did not listen within ${startTimeoutMs} ms` })
    const listening = await within(orAborted(listeningName(child, gone), signal), startTimeoutMs, slow)
    return { dial: () => dial(listening), gone: gone.then(() => 'the agent ended'), end }
  } catch (thrown) {
    await end()
    throw thrown
  }
}

function listeningName(child: ChildProcess, gone: Promise<void>): Promise<string> {
  const reader = new LineReader(1 << 20)
  return new Promise((resolve, reject) => {
    child.once('error', cause =>
      reject(new Failure('agent-failed', { reason: 'it could not be started' }, { cause })),
    )
    child.stdout?.on('data', (chunk: Buffer) => {
      try {
        for (const line of reader.read(chunk)) resolve(nameOf(line))
      } catch (thrown) {
        reject(thrown)
      }
    })
    // Its last line is read before `close`.
    child.stdout?.once('close', () => {
      void gone.then(() => {
        const how = child.signalCode ?? `exit code ${child.exitCode}`
        reject(new Failure('agent-failed', { reason: `it ended with ${how} before it listened` }))
      })
    })
  })
}

function nameOf(line: string): string {
  const checked = decode(listeningLine, readAgentLine(line))
  if (checked.ok) return checked.value.listening
  throw new Failure(
    'agent-failed',
    { reason: 'it printed a line of another shape' },
    { detail: checked.faults.join('; ') },
  )
}

/** `name`: of an abstract Unix socket, without the leading NUL. */
function dial(name: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(`\0${name}`)
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
  })
}
