// Runs a credential plugin: no terminal, no input, and a deadline, after which nothing of it is left.
import { type ChildProcess, spawn } from 'node:child_process'
import { settledWithin } from '../../deadline.ts'

export type PluginRun = {
  command: string
  args: readonly string[]
  env: NodeJS.ProcessEnv
  timeoutMs: number
  /** From its first line on: it waits for its user then. */
  spokenTimeoutMs: number
  signal: AbortSignal
  /** Gets each line of standard error, or what stands in one that is not ended: it may hold the address where the user has to log in. */
  onLine(line: string): void
}

/** A token is at most some KiB, a certificate with its chain too. */
const maxOutputBytes = 1 << 20
const keptLines = 5
/** For the output of a plugin that has ended, which a process that it left behind may hold open. */
const lastOutputMs = 500

/** Its standard output. Rejects with an `Error` whose message goes on "its plugin ...", or with the signal's reason. */
// A plugin that ended by itself may leave a process behind on purpose: the browser of the login.
export async function runPlugin(run: PluginRun): Promise<Buffer> {
  run.signal.throwIfAborted()
  const child = spawn(run.command, run.args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: run.env,
    // A group of its own: Ctrl-C at our terminal is not meant for it, and what it starts ends with it.
    detached: process.platform !== 'win32',
    windowsHide: true,
  })
  const timeout = new AbortController()
  let { timeoutMs } = run
  const expire = () => timeout.abort()
  let timer = setTimeout(expire, timeoutMs)
  const onLine = (line: string) => {
    if (timeoutMs !== run.spokenTimeoutMs) {
      timeoutMs = run.spokenTimeoutMs
      clearTimeout(timer)
      timer = setTimeout(expire, timeoutMs)
    }
    run.onLine(line)
  }
  const stop = AbortSignal.any([run.signal, timeout.signal])
  const kill = () => killGroup(child)
  stop.addEventListener('abort', kill, { once: true })
  try {
    return await outputOf(child, { ...run, onLine })
  } catch (error) {
    if (run.signal.aborted) throw run.signal.reason
    if (timeout.signal.aborted)
      throw new Error(`did not answer within ${Math.round(timeoutMs / 1_000)} s`, { cause: error })
    throw error
  } finally {
    clearTimeout(timer)
    stop.removeEventListener('abort', kill)
  }
}

async function outputOf(child: ChildProcess, { command, onLine }: PluginRun): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  const lines = new LastLines(onLine)
  child.stdout?.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes <= maxOutputBytes) chunks.push(chunk)
    else killGroup(child)
  })
  child.stderr?.on('data', (chunk: Buffer) => lines.add(chunk))
  const closed = new Promise<void>(resolve => child.once('close', () => resolve()))
  const how = await new Promise<{ code: number | null; signal: string | null }>((resolve, reject) => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
    child.once('error', cause => reject(startError(cause, command)))
  })
  await settledWithin(closed, lastOutputMs)
  child.stdout?.destroy()
  child.stderr?.destroy()
  if (bytes > maxOutputBytes) throw new Error(`printed more than ${maxOutputBytes >> 20} MiB`)
  const said = lines.last()
  if (how.code === 0) return Buffer.concat(chunks)
  const end = how.code === null ? `ended with ${how.signal}` : `ended with exit code ${how.code}`
  throw new Error(said === '' ? `${end} and said nothing` : `${end}: ${said}`)
}

export class PluginMissing extends Error {}

function startError(cause: NodeJS.ErrnoException, command: string): Error {
  if (cause.code === 'ENOENT') return new PluginMissing(command, { cause })
  const state = cause.code === 'EACCES' ? 'may not be run (EACCES)' : `could not be started (${cause.code})`
  return new Error(state, { cause })
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    if (process.platform === 'win32') child.kill('SIGKILL')
    else process.kill(-child.pid, 'SIGKILL')
  } catch {
    // Nobody is left in it.
  }
}

/** What a plugin asks at the end of a line, it leaves there. */
const unendedMs = 500

class LastLines {
  #rest = ''
  #lines: string[] = []
  #unended: NodeJS.Timeout | undefined
  readonly #onLine: (line: string) => void

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine
  }

  add(chunk: Buffer): void {
    const lines = (this.#rest + chunk.toString('utf8')).split('\n')
    this.#rest = (lines.pop() ?? '').slice(-4_000)
    for (const line of lines) this.#take(line)
    clearTimeout(this.#unended)
    this.#unended = setTimeout(() => this.#flush(), unendedMs)
    this.#unended.unref()
  }

  #flush(): void {
    clearTimeout(this.#unended)
    this.#take(this.#rest)
    this.#rest = ''
  }

  /** The last lines as one, and what came after the last line's end. */
  last(): string {
    this.#flush()
    return this.#lines.join(' / ').slice(-600)
  }

  #take(line: string): void {
    const text = line.trim()
    if (text === '') return
    this.#onLine(text)
    this.#lines = [...this.#lines, text].slice(-keptLines)
  }
}
