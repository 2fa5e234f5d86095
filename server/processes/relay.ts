// The relay process: completes connections that hooked processes have in progress, and hands their other ends over; one a server, from the first session on.
import { type ChildProcess, fork } from 'node:child_process'
import { Socket } from 'node:net'
import { decode, type Endpoint } from '../../protocol/codec.ts'
import { Failure } from '../../protocol/errors.ts'
import { type FromRelay, fromRelay, type QuietPorts, type ToRelay } from '../../protocol/hook/relay.ts'
import { programPath } from '../../protocol/programs.ts'
import { awaitEnd, childGone } from '../children.ts'
import { within } from '../deadline.ts'
import type { Meeting } from '../outgoing/outgoing.ts'
import { ownEnvironment } from '../own-environment.ts'
import { Turns } from '../turns.ts'
import { Ends, type Handle } from './ends.ts'

const startTimeoutMs = 10_000
const answerTimeoutMs = 5_000
const endPatienceMs = 2_000
/** A queue of accepts that is full makes those behind it late. */
const mostMeetings = 64
/** A relay that lived no longer than this is not replaced sooner. */
const shortLifeMs = 1_000

type Running = {
  child: ChildProcess
  gone: Promise<void>
  quiet: Promise<QuietPorts>
  sockets: Waiting<Handle>
  /** Names of meeting places. */
  places: Waiting<string>
  ends: Record<keyof QuietPorts, Ends>
  isGone: boolean
}
type Waiting<T> = Map<number, { resolve(value: T): void; reject(failure: Error): void }>

const failed = (reason: string) => new Failure('hook-failed', { command: 'relay', reason })

export class Relay {
  #running: Running | undefined
  #lastId = 0
  #closed = false
  readonly #turns = new Turns(mostMeetings)
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

  /** The other end of the connection that is in progress from there, or of the one that a supervisor makes. Rejects when the process has given it up. */
  complete(from: Endpoint | Meeting): Promise<Socket> {
    return 'meet' in from ? this.#turns.run(() => this.#meet(from)) : this.#complete(from)
  }

  async #complete(from: Endpoint): Promise<Socket> {
    const running = this.#running
    if (running === undefined) throw failed('it has ended, and what was in progress with it')
    const ends = running.ends[from.address.includes(':') ? 'six' : 'four']
    try {
      return await ends.complete(from)
    } finally {
      setImmediate(() => ends.fill())
    }
  }

  async #meet(meeting: Meeting): Promise<Socket> {
    // Nothing has happened yet, so that a relay that has just died costs no connection.
    const { running, id, name } = await this.#place(meeting).catch(() => this.#place(meeting))
    await within(meeting.meet(name), answerTimeoutMs, () => failed('the supervisor did not come'))
    const handle = await ask(running.sockets, running, { take: id }, id)
    return new Socket({ handle, allowHalfOpen: true } as never)
  }

  async #place({ supervisor, seqpacket }: Meeting): Promise<{ running: Running; id: number; name: string }> {
    await this.quiet()
    const running = this.#running
    if (running === undefined) throw failed('it ended')
    const id = this.#nextId()
    return { running, id, name: await ask(running.places, running, { meet: id, supervisor, seqpacket }, id) }
  }

  #nextId(): number {
    this.#lastId += 1
    return this.#lastId
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
    const sockets: Running['sockets'] = new Map()
    const places: Running['places'] = new Map()
    const ready = new Promise<QuietPorts>((resolve, reject) => {
      child.on('message', (value, handle) => {
        const checked = decode(fromRelay, value)
        if (!checked.ok) return
        if ('quiet' in checked.value) {
          resolve(checked.value.quiet)
          ends.four.fill()
        } else if ('failed' in checked.value) reject(failed(`no quiet port (${checked.value.failed})`))
        else if ('meeting' in checked.value) found(places, checked.value)
        else take(sockets, checked.value, handle as Handle | undefined)
      })
      void gone.then(() => reject(failed('it ended')))
    })
    const quiet = within(ready, startTimeoutMs, () => failed('it did not start in time'))
    quiet.catch(() => child.kill('SIGKILL'))
    const open = (at: keyof QuietPorts) => () => {
      const id = this.#nextId()
      return ask(sockets, running, { open: id, at }, id)
    }
    const ends = { four: new Ends(open('four')), six: new Ends(open('six')) }
    const running: Running = { child, gone, quiet, sockets, places, ends, isGone: false }
    const sinceMs = performance.now()
    void gone.then(() => {
      running.isGone = true
      if (this.#running === running) this.#running = undefined
      for (const all of Object.values(ends)) all.close()
      for (const { reject } of [...sockets.values(), ...places.values()]) reject(failed('it ended'))
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

function ask<T>(waiting: Waiting<T>, { child, isGone }: Running, message: ToRelay, id: number): Promise<T> {
  if (isGone || !child.connected) return Promise.reject(failed('it has ended'))
  const answered = new Promise<T>((resolve, reject) => waiting.set(id, { resolve, reject }))
  child.send(message, () => {})
  const slow = () => failed(`it did not answer within ${answerTimeoutMs / 1_000} s`)
  return within(answered, answerTimeoutMs, slow).finally(() => waiting.delete(id))
}

function found(places: Running['places'], { meeting, name, errno }: Extract<FromRelay, { meeting: number }>) {
  if (name === undefined) places.get(meeting)?.reject(failed(errno ?? 'it gave no meeting place'))
  else places.get(meeting)?.resolve(name)
}

type Given = Extract<FromRelay, { socket: number }>

function take(waiting: Running['sockets'], { socket, errno }: Given, handle: Handle | undefined): void {
  const asked = waiting.get(socket)
  if (asked !== undefined && handle !== undefined) asked.resolve(handle)
  else {
    handle?.close()
    asked?.reject(failed(errno ?? 'it gave no socket'))
  }
}
