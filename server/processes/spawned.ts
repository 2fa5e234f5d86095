// A supervisor that the server started itself, with pipes; made before it is needed, so that a launch only has to say "start".
import { type ChildProcess, spawn } from 'node:child_process'
import { PassThrough, type Readable } from 'node:stream'
import { Failure } from '../../protocol/errors.ts'
import { hookProcessVariable, hookSocketVariable, hookTokenVariable } from '../../protocol/hook/messages.ts'
import { programPath } from '../../protocol/programs.ts'
import { awaitEnd, childGone } from '../children.ts'
import { ownEnvironment } from '../own-environment.ts'
import type { Channel } from './channel.ts'
import { type HookSocket, newToken } from './hook-socket.ts'

export type StdinMode = 'null' | 'pipe'

const helloTimeoutMs = 15_000
const maxDetailCharacters = 2_000

export class SpawnedSupervisor {
  readonly child: ChildProcess
  /** What the command prints. Not the child's own streams: Node throws away what is unread in those when the child exits. */
  readonly output: { stdout: PassThrough; stderr: PassThrough }
  readonly gone: Promise<void>
  /** Resolves when it has shown its token; rejects with `hook-failed` when it ends before. */
  readonly channel: Promise<Channel>
  #arrived: Channel | undefined
  readonly #forget: () => void

  constructor(
    readonly processId: string,
    readonly stdin: StdinMode,
    socket: HookSocket,
  ) {
    const token = newToken()
    let arrived: (channel: Channel) => void
    const arrival = new Promise<Channel>(resolve => (arrived = resolve))
    this.#forget = socket.expect(token, { once: true }, channel => {
      this.#arrived = channel
      arrived(channel)
    })
    // A session of its own: Ctrl-C in the server's terminal is not for the command.
    this.child = spawn(process.execPath, [programPath('hook')], {
      stdio: [stdin === 'pipe' ? 'pipe' : 'ignore', 'pipe', 'pipe'],
      detached: true,
      env: {
        ...ownEnvironment(),
        [hookSocketVariable]: socket.name,
        [hookTokenVariable]: token,
        [hookProcessVariable]: processId,
      },
    })
    this.output = { stdout: kept(this.child.stdout), stderr: kept(this.child.stderr) }
    this.gone = childGone(this.child)
    this.child.stdin?.on('error', () => {})
    this.channel = this.#arrival(arrival)
    this.channel.catch(() => {})
  }

  /** Whether it can still take a command. */
  get usable(): boolean {
    return this.child.pid !== undefined && this.child.exitCode === null && this.child.signalCode === null
  }

  /** Ends a supervisor whose process is over, or that was never used. */
  async end(): Promise<void> {
    this.#forget()
    if (this.#arrived === undefined) this.child.kill('SIGKILL')
    else this.#arrived.close()
    await awaitEnd(this.child, this.gone, 2_000)
  }

  #arrival(arrival: Promise<Channel>): Promise<Channel> {
    return new Promise((resolve, reject) => {
      const fail = (reason: string) => {
        this.#forget()
        const said = this.output.stderr.read() as Buffer | null
        const detail = said?.toString('utf8').trim().slice(0, maxDetailCharacters)
        reject(new Failure('hook-failed', { command: 'hook', reason }, detail ? { detail } : {}))
      }
      const timer = setTimeout(() => fail('the supervisor did not report in time'), helloTimeoutMs)
      void this.gone.then(() => fail('the supervisor ended'))
      void arrival.then(resolve)
      void Promise.race([arrival, this.gone]).then(() => clearTimeout(timer))
    })
  }
}

function kept(stream: Readable | null): PassThrough {
  const copy = new PassThrough()
  if (stream === null) return copy.end()
  stream.on('error', () => copy.end())
  return stream.pipe(copy)
}
