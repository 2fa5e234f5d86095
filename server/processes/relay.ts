// The relay process: completes connections that hooked processes have in progress, and hands their other ends over; one a server, from the first session on.
import { type ChildProcess, fork } from 'node:child_process'
import type { Socket } from 'node:net'
import { decode, type Endpoint } from '../../protocol/codec.ts'
import { Failure } from '../../protocol/errors.ts'
import { type FromRelay, fromRelay, type QuietPorts, type ToRelay } from '../../protocol/hook/relay.ts'
import { programPath } from '../../protocol/programs.ts'
import { awaitEnd, childGone } from '../children.ts'
import { within } from '../deadline.ts'
import { ownEnvironment } from '../own-environment.ts'
import { Turns } from '../turns.ts'

const startTimeoutMs = 10_000
const completeTimeoutMs = 5_000
/** It answers one after the other, so that whoever is behind many others would wait for them. */
const mostAsked = 64
const endPatienceMs = 2_000
/** A relay that lived no longer than this is not replaced sooner. */
const shortLifeMs = 1_000

type Running = {
  child: ChildProcess
  gone: Promise<void>
  quiet: Promise<QuietPorts>
  waiting: Map<number, { resolve(socket: Socket): void; reject(failure: Error): void }>
}

const failed = (reason: string) => new Failure('hook-failed', { command: 'relay', reason })

export class Relay {
  #running: Running | undefined
  #lastId = 0
  #closed = false
  readonly #turns = new Turns(mostAsked)
  readonly #tell = new Set<(quiet: QuietPorts) => void>()

  /** Called with the ports of each relay that takes the place of one that died; until the returned function is called. */
  onReplaced(tell: (quiet: QuietPorts) => void): () => void {
    this.#tell.add(tell)
    return () => void this.#tell.delete(tell)
  }

  /** Where sockets are put in progress; starts the relay when none runs. */
  quiet(): Promise<QuietPorts> {
    if (this.#closed) return Promise.reject(failed('the server ends'))
    this.#running ??= this.#start()
    return this.#running.quiet
  }

  /** The other end of the connection that is in progress from there. Rejects when the process has given it up. */
  complete(from: Endpoint): Promise<Socket> {
    return this.#turns.run(() => this.#complete(from))
  }

  async #complete(from: Endpoint): Promise<Socket> {
    const running = this.#running
    if (running === undefined) throw failed('it has ended, and what was in progress with it')
    this.#lastId += 1
    const id = this.#lastId
    const completed = new Promise<Socket>((resolve, reject) => running.waiting.set(id, { resolve, reject }))
    running.child.send({ complete: id, from } satisfies ToRelay, () => {})
    const slow = () => failed(`it did not answer within ${completeTimeoutMs / 1_000} s`)
    return within(completed, completeTimeoutMs, slow).finally(() => running.waiting.delete(id))
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#running === undefined) return
    const { child, gone } = this.#running
    if (child.connected) child.disconnect()
    await awaitEnd(child, gone, endPatienceMs)
  }

  #start(): Running {
    const child = fork(programPath('relay'), {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      detached: true,
      execArgv: [],
      env: ownEnvironment(),
    })
    const gone = childGone(child)
    const waiting: Running['waiting'] = new Map()
    const ready = new Promise<QuietPorts>((resolve, reject) => {
      child.on('message', (value, handle) => {
        const checked = decode(fromRelay, value)
        if (!checked.ok) return
        if ('quiet' in checked.value) resolve(checked.value.quiet)
        else if ('failed' in checked.value) reject(failed(`no quiet port (${checked.value.failed})`))
        else take(waiting, checked.value, handle as Socket | undefined)
      })
      void gone.then(() => reject(failed('it ended')))
    })
    const quiet = within(ready, startTimeoutMs, () => failed('it did not start in time'))
    quiet.catch(() => child.kill('SIGKILL'))
    const running = { child, gone, quiet, waiting }
    const sinceMs = performance.now()
    void gone.then(() => {
      if (this.#running === running) this.#running = undefined
      for (const { reject } of waiting.values()) reject(failed('it ended'))
      setTimeout(() => this.#replace(), performance.now() - sinceMs > shortLifeMs ? 0 : shortLifeMs).unref()
    })
    return running
  }

  /** What was in progress is refused by the kernel when its relay dies; what comes later goes to another. */
  #replace(): void {
    if (this.#closed || this.#tell.size === 0) return
    this.quiet().then(
      quiet => {
        for (const tell of this.#tell) tell(quiet)
      },
      () => {},
    )
  }
}

type Completed = Extract<FromRelay, { completed: number }>

function take(
  waiting: Running['waiting'],
  { completed, errno }: Completed,
  socket: Socket | undefined,
): void {
  const asked = waiting.get(completed)
  if (asked === undefined || socket === undefined) {
    // Nobody has it any more: an end would look like the peer's.
    socket?.resetAndDestroy()
    asked?.reject(failed(errno ?? 'it gave no socket'))
    return
  }
  // What the constructor of a socket that came over a channel does not take.
  socket.allowHalfOpen = true
  socket.setNoDelay(true)
  asked.resolve(socket)
}
