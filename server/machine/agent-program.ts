// Runs the agent program for one question: its lines as they come, its failure as ours, nothing left when cancelled.
import { type ChildProcess, spawn } from 'node:child_process'
import { failureLine } from '../../protocol/agent/invocation.ts'
import { decode } from '../../protocol/codec.ts'
import { Failure } from '../../protocol/errors.ts'
import { programPath } from '../../protocol/programs.ts'
import { childGone } from '../children.ts'
import { LineReader } from '../lines.ts'
import type { Log } from '../log.ts'
import { ownEnvironment } from '../own-environment.ts'
import { toldFailure } from '../told-failure.ts'

const maxLineBytes = 4 << 20
/** Each container runtime that the agent asks has 5 s; this is for an agent that hangs itself. */
const questionTimeoutMs = 30_000

/** Starts the agent in a process group of its own, so that Ctrl-C in the server's terminal does not reach it. */
export function spawnAgent(
  args: readonly string[],
  options: { stdin: 'ignore' | 'pipe'; enter?: readonly string[]; log: Log },
): ChildProcess {
  const [program = process.execPath, ...rest] = [
    ...(options.enter ?? []),
    process.execPath,
    programPath('agent'),
    ...args,
  ]
  const child = spawn(program, rest, {
    stdio: [options.stdin, 'pipe', 'pipe'],
    detached: true,
    env: ownEnvironment(),
  })
  logErrors(child, options.log)
  return child
}

/** What the agent says on standard error goes to the log, at most so much of it. */
function logErrors(child: ChildProcess, log: Log): void {
  let leftBytes = 256 << 10
  child.stderr?.on('data', (chunk: Buffer) => {
    if (leftBytes <= 0) return
    leftBytes -= chunk.length
    for (const line of chunk.toString('utf8').split('\n'))
      if (line.trim() !== '') log.write('info', `agent: ${line}`)
  })
  child.stderr?.on('error', () => {})
}

/** The JSON that a line of the agent holds; its failure lines are thrown. */
export function readAgentLine(line: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (cause) {
    throw new Failure(
      'agent-failed',
      { reason: 'it printed something that is not JSON' },
      { cause, detail: line.slice(0, 200) },
    )
  }
  const failed = decode(failureLine, value)
  if (!failed.ok) return value
  throw toldFailure(failed.value.failure, {
    kind: 'agent-failed',
    values: { reason: 'it reported a failure' },
  })
}

/** Asks the agent program; resolves when it has ended, with `onLine` called for each line meanwhile. */
export async function askAgent(
  args: readonly string[],
  options: { signal: AbortSignal; log: Log; onLine(value: unknown): void },
): Promise<void> {
  options.signal.throwIfAborted()
  const child = spawnAgent(args, { stdin: 'ignore', log: options.log })
  const gone = childGone(child)
  const kill = () => killGroup(child)
  const timer = setTimeout(kill, questionTimeoutMs)
  options.signal.addEventListener('abort', kill, { once: true })
  try {
    await readLines(child, options.onLine)
    await gone
    options.signal.throwIfAborted()
    if (child.exitCode !== 0) {
      const how = child.signalCode ?? `exit code ${child.exitCode}`
      throw new Failure('agent-failed', { reason: `"agent ${args[0]}" ended with ${how}` })
    }
  } catch (thrown) {
    kill()
    await gone
    throw options.signal.aborted ? options.signal.reason : thrown
  } finally {
    clearTimeout(timer)
    options.signal.removeEventListener('abort', kill)
  }
}

/** With whatever it has asked: a container runtime that hangs would otherwise stay. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // Nothing of the group is left.
  }
}

function readLines(child: ChildProcess, onLine: (value: unknown) => void): Promise<void> {
  const reader = new LineReader(maxLineBytes)
  return new Promise((resolve, reject) => {
    child.once('error', cause =>
      reject(new Failure('agent-failed', { reason: 'it could not be started' }, { cause })),
    )
    child.stdout?.on('data', (chunk: Buffer) => {
      try {
        for (const line of reader.read(chunk)) onLine(readAgentLine(line))
      } catch (thrown) {
        reject(thrown)
      }
    })
    child.stdout?.once('close', resolve)
  })
}
