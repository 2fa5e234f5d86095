// The guard process: answers for supervisors that died, and outlives a server that was killed; one a server, from the first hook on.
import { type ChildProcess, spawn } from 'node:child_process'
import { Failure } from '../../protocol/errors.ts'
import { programPath } from '../../protocol/programs.ts'
import { awaitEnd, childGone } from '../children.ts'
import { within } from '../deadline.ts'
import { LineReader } from '../lines.ts'
import { ownEnvironment } from '../own-environment.ts'
import { newToken } from './hook-socket.ts'

const startTimeoutMs = 10_000
const endPatienceMs = 2_000
/** A guard that lived no longer than this is not replaced sooner. */
const shortLifeMs = 1_000

export type GuardAddress = { guard: string; guardToken: string }

export class Guard {
  #running: { child: ChildProcess; gone: Promise<void>; address: Promise<GuardAddress> } | undefined
  #closed = false
  readonly #tell = new Set<(address: GuardAddress) => void>()

  /** Where supervisors register; starts the guard when none runs. */
  address(): Promise<GuardAddress> {
    if (this.#closed)
      return Promise.reject(new Failure('hook-failed', { command: 'guard', reason: 'the server ends' }))
    this.#running ??= this.#start()
    return this.#running.address
  }

  /** Its input ends, so it ends as soon as it holds nothing. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#running === undefined) return
    const { child, gone } = this.#running
    child.stdin?.end()
    await awaitEnd(child, gone, endPatienceMs)
  }

  /** Called with the address of each guard that takes the place of one that died; until the returned function is called. */
  onReplaced(tell: (address: GuardAddress) => void): () => void {
    this.#tell.add(tell)
    return () => void this.#tell.delete(tell)
  }

  /** Supervisors that nobody would answer for are given to another guard. One that fails as well is replaced in its turn. */
  #replace(): void {
    if (this.#closed || this.#tell.size === 0) return
    this.address().then(
      address => {
        for (const tell of this.#tell) tell(address)
      },
      () => {},
    )
  }

  #start() {
    const guardToken = newToken()
    // Standard error is the server's own: the guard says there what it had to end when the server itself is gone.
    const child = spawn(process.execPath, [programPath('guard')], {
      stdio: ['pipe', 'pipe', 'inherit'],
      detached: true,
      env: ownEnvironment(),
    })
    const gone = childGone(child)
    const running = { child, gone, address: announced(child, gone, guardToken) }
    running.address.catch(() => {})
    const sinceMs = performance.now()
    void gone.then(() => {
      if (this.#running === running) this.#running = undefined
      if (performance.now() - sinceMs > shortLifeMs) this.#replace()
      else setTimeout(() => this.#replace(), shortLifeMs).unref()
    })
    child.stdin?.on('error', () => {})
    child.stdin?.write(`${JSON.stringify({ token: guardToken })}\n`)
    return running
  }
}

function announced(child: ChildProcess, gone: Promise<void>, guardToken: string): Promise<GuardAddress> {
  const failed = (reason: string) => new Failure('hook-failed', { command: 'guard', reason })
  const line = new Promise<string>((resolve, reject) => {
    const reader = new LineReader(64 << 10)
    child.stdout?.on('data', (chunk: Buffer) => {
      try {
        for (const text of reader.read(chunk)) resolve(text)
      } catch (thrown) {
        reject(thrown)
      }
    })
    void gone.then(() => reject(failed('the guard ended')))
  })
  const address = line.then(text => {
    const { listening } = JSON.parse(text) as { listening?: unknown }
    if (typeof listening !== 'string') throw failed('the guard did not say where it listens')
    return { guard: listening, guardToken }
  })
  return within(address, startTimeoutMs, () => failed('the guard did not start in time')).catch(thrown => {
    child.kill('SIGKILL')
    throw thrown
  })
}
