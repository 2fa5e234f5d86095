// The channels of one exec as streams: input, two outputs with back-pressure, and the exit at the end.
import { Readable, Writable } from 'node:stream'
import { Failure } from '../../../protocol/errors.ts'
import { Arrivals } from './arrivals.ts'
import { type Exit, exitOf } from './exec-status.ts'
import { sentence } from './explain.ts'
import { nextMessage } from './message.ts'
import type { Wire } from './pod-connection.ts'

/** Source: k8s.io/apimachinery, pkg/util/remotecommand/constants.go. `close` says that the channel in its one byte has ended (v5). */
export const execChannel = { stdin: 0, stdout: 1, stderr: 2, error: 3, close: 255 } as const

/** A Status with the longest message that is worth keeping. */
const statusBytes = 64 << 10

export class ExecChannels {
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  readonly exit: Promise<Exit>
  readonly #wire: Wire
  readonly #pod: string
  readonly #outputs: Map<number, Arrivals>
  #settle: { resolve(exit: Exit): void; reject(failure: Failure): void } | undefined
  #status: Buffer[] = []
  #statusBytes = 0
  #over = false

  constructor(wire: Wire, options: { pod: string; stdin: boolean }) {
    this.#wire = wire
    this.#pod = options.pod
    this.exit = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    // Who does not ask for the exit must not be ended by it.
    this.exit.catch(() => {})
    const valves = valvesOf(wire)
    const stdout = output(valves())
    const stderr = output(valves())
    this.stdout = stdout.stream
    this.stderr = stderr.stream
    this.#outputs = new Map([
      [execChannel.stdout, stdout.arrivals],
      [execChannel.stderr, stderr.arrivals],
    ])
    this.stdin = this.#input()
    if (!options.stdin) this.stdin.destroy()
  }

  message(channel: number, bytes: Buffer): void {
    const output = this.#outputs.get(channel)
    if (output !== undefined) output.add(bytes)
    else if (channel === execChannel.error) this.#keepStatus(bytes)
    // The outputs end together with the command, which the error channel tells.
    else if (channel !== execChannel.close)
      this.end(this.#failure(`the cluster sent a message of channel ${channel}, which does not exist`))
  }

  ended(fault: string | undefined): void {
    const exit = exitOf(Buffer.concat(this.#status).toString())
    if (exit !== undefined) this.#finish(exit)
    else this.end(this.#failure(fault ?? 'the cluster did not say how the command ended'))
  }

  /** Gives up: the connection is closed, and everything that is not over fails with this. */
  end(failure: Failure): void {
    this.#finish(failure)
  }

  #finish(how: Exit | Failure): void {
    if (this.#over) return
    this.#over = true
    const failure = how instanceof Failure ? how : undefined
    // Nobody reads it any more; how it ended is told by the exit, so that a writer that does not listen ends nothing.
    this.stdin.destroy()
    for (const arrivals of this.#outputs.values()) arrivals.over(failure)
    if (how instanceof Failure) this.#settle?.reject(how)
    else this.#settle?.resolve(how)
    this.#wire.close(() => {})
  }

  #keepStatus(bytes: Buffer): void {
    if (this.#statusBytes + bytes.length > statusBytes) return
    this.#statusBytes += bytes.length
    this.#status.push(bytes)
  }

  #failure(reason: string): Failure {
    return new Failure('channel-failed', {
      verb: 'run a command in',
      pod: this.#pod,
      reason: sentence(reason),
    })
  }

  #input(): Writable {
    const wire = this.#wire
    const send = (chunks: Buffer[], done: (error?: Error | null) => void): void => {
      const { message, rest } = nextMessage(chunks)
      wire.send(execChannel.stdin, message, error => {
        if (error === undefined && rest.length > 0) send(rest, done)
        // The end of the connection destroys the stream, which fails the write.
        else if (error === undefined) done()
      })
    }
    return new Writable({
      highWaterMark: 64 << 10,
      write: (chunk: Buffer, _encoding, done) => send([chunk], done),
      final: done => wire.send(execChannel.close, [Buffer.of(execChannel.stdin)], () => done()),
    })
  }
}

function output(source: { pause(): void; resume(): void }) {
  let arrivals: Arrivals | undefined
  const stream = new Readable({
    highWaterMark: 0,
    read: () => arrivals?.read(),
    destroy: (error, done) => {
      // Who destroys one output still gets the other.
      arrivals?.drop()
      done(error)
    },
  })
  // The exit tells it too: an output that nobody listens to must not end the process.
  stream.on('error', () => {})
  arrivals = new Arrivals(stream, source)
  return { stream, arrivals }
}

/** Valves on one source, which flows while none is closed. */
function valvesOf(source: { pause(): void; resume(): void }) {
  let closed = 0
  return () => ({
    pause: () => {
      closed += 1
      if (closed === 1) source.pause()
    },
    resume: () => {
      closed -= 1
      if (closed === 0) source.resume()
    },
  })
}
