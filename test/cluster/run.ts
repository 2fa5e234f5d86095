// Runs programs and waits for states, always with a deadline that says what it was for.
import { setTimeout as pause } from 'node:timers/promises'
import { execa } from 'execa'

export interface RunOptions {
  input?: string
  cwd?: string
  env?: Record<string, string>
  /** Default 60,000. */
  timeoutMs?: number
}

/** Runs a program to its end and gives what it printed, without the last newline; throws with its error output when it fails. */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const result = await execa(program, args, {
    timeout: options.timeoutMs ?? 60_000,
    reject: false,
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
  })
  if (!result.failed) return result.stdout
  const why = result.timedOut
    ? `no end after ${options.timeoutMs ?? 60_000} ms`
    : `exit code ${result.exitCode ?? result.signal}`
  throw new Error(`Cannot run "${program} ${args.join(' ')}": ${why}\n${result.stderr}`.trimEnd(), {
    cause: result.cause,
  })
}

/** Runs a program whose failure is an answer: true when it ended with 0. */
export async function succeeds(
  program: string,
  args: readonly string[],
  timeoutMs = 10_000,
): Promise<boolean> {
  const result = await execa(program, args, { timeout: timeoutMs, reject: false, stdio: 'ignore' })
  return !result.failed
}

/** Asks until the answer is neither undefined nor false, every 100 ms; a throw of the last question is the cause of the failure. */
export async function until<T>(
  awaited: string,
  timeoutMs: number,
  ask: () => Promise<T | undefined | false>,
): Promise<T> {
  const end = Date.now() + timeoutMs
  let cause: unknown
  while (Date.now() < end) {
    try {
      const answer = await ask()
      if (answer !== undefined && answer !== false) return answer
      cause = undefined
    } catch (error) {
      cause = error
    }
    await pause(100)
  }
  throw new Error(`Cannot wait any longer for ${awaited}: ${timeoutMs / 1000} s are over`, { cause })
}

const began = performance.now()

/** Tells the person who waits what was reached, and when. */
export function say(text: string): void {
  process.stderr.write(`[${((performance.now() - began) / 1000).toFixed(1).padStart(5)}s] ${text}\n`)
}
