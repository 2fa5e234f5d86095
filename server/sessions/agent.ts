// The agent of one session as a process of this machine: started, watched, and gone when the session is.
import type { ChildProcess } from 'node:child_process'
import { listeningLine } from '../../protocol/agent/invocation.ts'
import { decode } from '../../protocol/codec.ts'
import { Failure } from '../../protocol/errors.ts'
import { awaitEnd, childGone } from '../children.ts'
import { orAborted, within } from '../deadline.ts'
import { LineReader } from '../lines.ts'
import type { Log } from '../log.ts'
import { readAgentLine, spawnAgent } from '../targets/agent-program.ts'
import type { Resolved } from '../targets/targets.ts'

const startTimeoutMs = 20_000
const endPatienceMs = 2_000

export type Agent = {
  /** Name of its abstract Unix socket, without the leading NUL. */
  readonly listening: string
  readonly gone: Promise<void>
  /** Its input ends, so it ends; resolves when it is gone. */
  end(): Promise<void>
}

/** Resolves when the agent has entered the target and listens; cancelled or failed, nothing of it is left. */
export async function startAgent(options: {
  resolved: Resolved
  sessionId: string
  publicKey: string
  graceMs: number
  signal: AbortSignal
  log: Log
}): Promise<Agent> {
  const { resolved, signal, log } = options
  signal.throwIfAborted()
  const args = [
    ...['attach', resolved.target.target],
    ...['--pid', String(resolved.pid), '--start-time', resolved.startTime],
    ...['--session', options.sessionId, '--key', options.publicKey, '--grace-ms', String(options.graceMs)],
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
    return { listening, gone, end }
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
