// The real server process as a hand-made client sees it: bytes in, messages out, for journeys about the protocol itself.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { programPath } from '../../protocol/programs.ts'
import { encodeMessage, MessageReader } from '../../server/rpc/framing.ts'
import { answerFaults, notificationFaults } from './message-faults.ts'

export type Answer = {
  id?: string | number | null
  method?: string
  params?: Record<string, unknown>
  result?: Record<string, unknown> | null
  error?: { code: number; message: string; data: { kind: string; fix: string; detail?: string } }
}

/** A connection by hand. Messages that were waited for are taken; waiting fails once the server sent what its protocol does not declare. */
export class RawClient {
  readonly received: Answer[] = []
  readonly closed: Promise<void>
  /** Sees each message as it comes, taken later or not. */
  onMessage: ((message: Answer) => void) | undefined
  readonly #faults: string[] = []
  #waiting = new Set<() => void>()
  #isClosed = false
  #lastId = 0

  constructor(
    readonly input: Writable,
    readonly output: Readable,
  ) {
    const reader = new MessageReader()
    output.on('data', (chunk: Buffer) => {
      for (const body of reader.read(chunk)) this.#take(JSON.parse(String(body)))
      for (const wake of this.#waiting) wake()
    })
    input.on('error', () => {})
    output.on('error', () => {})
    this.closed = new Promise(resolve => {
      output.once('close', () => {
        this.#isClosed = true
        for (const wake of this.#waiting) wake()
        resolve()
      })
    })
  }

  write(bytes: string | Buffer): void {
    this.input.write(bytes)
  }

  send(message: object): void {
    this.write(encodeMessage({ jsonrpc: '2.0', ...message }))
  }

  /** Sends a request; resolves with its answer, error or not. */
  async ask(method: string, params: unknown = {}): Promise<Answer> {
    this.#lastId += 1
    const id = this.#lastId
    this.send({ id, method, params })
    const isAnswer = (answer: Answer) => answer.id === id && answer.method === undefined
    const answer = await this.until(`the answer to ${method}`, isAnswer)
    assert.deepEqual(answerFaults(method, answer), [])
    return answer
  }

  #take(message: Answer): void {
    if (message.method !== undefined) this.#faults.push(...notificationFaults(message))
    this.received.push(message)
    this.onMessage?.(message)
  }

  async until(what: string, matches: (answer: Answer) => boolean, withinMs = 15_000): Promise<Answer> {
    const deadline = performance.now() + withinMs
    for (;;) {
      assert.deepEqual(this.#faults, [])
      const index = this.received.findIndex(matches)
      if (index >= 0) return this.received.splice(index, 1)[0]!
      const leftMs = deadline - performance.now()
      if (this.#isClosed || leftMs <= 0) {
        const state = this.#isClosed ? 'before the connection closed' : `within ${withinMs} ms`
        throw new Error(`no ${what} ${state}; received ${JSON.stringify(this.received).slice(0, 2000)}`)
      }
      await new Promise<void>(resolve => {
        const wake = () => {
          clearTimeout(timer)
          this.#waiting.delete(wake)
          resolve()
        }
        const timer = setTimeout(wake, leftMs)
        this.#waiting.add(wake)
      })
    }
  }
}

export type RawServer = {
  readonly child: ChildProcess
  readonly client: RawClient
  /** Everything on standard error so far. */
  errors(): string
  untilErrors(pattern: RegExp): Promise<RegExpExecArray>
  /** Resolves with exit code or signal name. */
  readonly ended: Promise<number | string>
}

/** Starts `standin serve` with these arguments; `through` is a command to put before it. */
export function startRawServer(
  args: readonly string[] = ['--stdio'],
  environment: NodeJS.ProcessEnv = process.env,
  through: readonly string[] = [],
): RawServer {
  const [program, ...rest] = [...through, process.execPath, programPath('server'), 'serve', ...args]
  const child = spawn(program!, rest, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: environment,
  })
  let text = ''
  child.stderr.on('data', (chunk: Buffer) => {
    text += chunk
  })
  return {
    child,
    client: new RawClient(child.stdin, child.stdout),
    errors: () => text,
    async untilErrors(pattern) {
      for (let found = pattern.exec(text); ; found = pattern.exec(text)) {
        if (found !== null) return found
        await once(child.stderr, 'data', { signal: AbortSignal.timeout(15_000) })
      }
    },
    ended: once(child, 'exit').then(([code, signal]) => code ?? signal),
  }
}
