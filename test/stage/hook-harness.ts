// Stands in for the server: starts commands under the hooks with a guard, and ends whatever a test leaves behind.
import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import {
  hookProcessVariable,
  hookSocketVariable,
  hookTokenVariable,
  type OutgoingRules,
  type PodNames,
} from '../../protocol/hook/messages.ts'
import { markedProcesses as findMarked } from '../../server/processes/orphan.ts'
import { type GuardProcess, startGuard } from './guard-process.ts'
import { HookedCommand } from './hooked-command.ts'

export const nobody = { uid: 65534, gid: 65534 }

type Owner = { uid?: number; gid?: number }

export type StartOptions = {
  ports?: readonly number[]
  addresses?: readonly string[]
  environment?: Record<string, string | null>
  outgoing?: OutgoingRules
  names?: PodNames
  cwd?: string
  /** Options of the supervisor's own spawn: stdio, uid and gid, detached, env. */
  spawn?: SpawnOptions
  /** Puts something in front of the supervisor, such as a shell that sets limits first. */
  wrap?: (argv: readonly string[]) => readonly string[]
  /** The supervisor's own command is left out and sent with `start` when false. */
  onCommandLine?: boolean
  /** Does not wait for `started`, because the command is expected to fail. */
  mayFail?: boolean
}

export class HookHarness {
  readonly socketName = `standin-test-${randomUUID()}`
  readonly #server: Server
  readonly #token = randomUUID()
  readonly #commands: HookedCommand[] = []
  readonly #waiting = new Map<string, { hooked: HookedCommand; attached: () => void }>()
  readonly #children: ChildProcess[] = []
  readonly guard: GuardProcess
  readonly #owner: Owner
  /** Folder of the programs of ours, readable for the owner. */
  readonly dist: string
  /** Folder of test/programs, readable for the owner. */
  readonly programs: string

  private constructor(guard: GuardProcess, server: Server, root: string, owner: Owner) {
    this.guard = guard
    this.#server = server
    this.#owner = owner
    this.dist = join(root, 'dist')
    this.programs = join(root, 'test/programs')
  }

  /** With an owner, everything of ours runs as that user, from a copy of dist/ that it can read. */
  static async open(owner: Owner = {}): Promise<HookHarness> {
    const root = owner.uid === undefined ? resolve('.') : readableCheckout()
    const server = createServer()
    const guard = await startGuard(join(root, 'dist'), owner)
    const harness = new HookHarness(guard, server, root, owner)
    server.on('connection', socket => harness.#greet(socket))
    await new Promise<void>(done => server.listen(`\0${harness.socketName}`, done))
    return harness
  }

  #greet(socket: Socket): void {
    const lines: Interface = createInterface({ input: socket })
    lines.once('line', line => {
      const hello = JSON.parse(line) as { type: string; token: string; process: string; pid: number }
      const expected = this.#waiting.get(hello.process)
      if (hello.type !== 'hello' || hello.token !== this.#token || expected === undefined)
        throw new Error(`The supervisor did not say hello but ${line}`)
      expected.hooked.attach(socket, lines)
      expected.attached()
    })
  }

  /** Starts the supervisor as the server does, without a command's start. */
  async warm(command: readonly string[], options: StartOptions = {}): Promise<HookedCommand> {
    const processId = `test-${randomUUID()}`
    const argv = [process.execPath, join(this.dist, 'hook.cjs')]
    if (options.onCommandLine !== false) argv.push('--', ...command)
    const [program, ...args] = options.wrap?.(argv) ?? argv
    const child = spawn(program!, args, {
      stdio: 'pipe',
      detached: true, // As the server does; a command that stops in the group of its client stops that client as well.
      ...this.#owner,
      ...(this.#owner.uid === undefined ? {} : { cwd: '/' }),
      ...options.spawn,
      env: {
        ...process.env,
        ...options.spawn?.env,
        [hookSocketVariable]: this.socketName,
        [hookTokenVariable]: this.#token,
        [hookProcessVariable]: processId,
      },
    })
    const hooked = new HookedCommand(child, processId)
    this.#commands.push(hooked)
    const attached = new Promise<void>(done => this.#waiting.set(processId, { hooked, attached: done }))
    await Promise.race([attached, hooked.ended])
    return hooked
  }

  /** Starts a command under the hooks and waits until it runs. */
  async start(command: readonly string[], options: StartOptions = {}): Promise<HookedCommand> {
    const hooked = await this.warm(command, options)
    await hooked.next('warm')
    this.begin(hooked, command, options)
    if (!options.mayFail) await hooked.next('started')
    return hooked
  }

  /** Sends `start`. */
  begin(hooked: HookedCommand, command: readonly string[], options: StartOptions = {}): void {
    hooked.send({
      type: 'start',
      environment: options.environment ?? {},
      addresses: [...(options.addresses ?? ['10.1.2.3'])],
      ports: [...(options.ports ?? [])],
      guard: this.guard.name,
      guardToken: this.guard.token,
      ...(options.outgoing === undefined ? {} : { outgoing: options.outgoing }),
      ...(options.names === undefined ? {} : { names: options.names }),
      ...(options.onCommandLine === false ? { command: [...command] } : {}),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    })
  }

  /** A child that ends with the test. */
  own(child: ChildProcess): ChildProcess {
    this.#children.push(child)
    return child
  }

  /** Processes that carry the mark of this command. */
  survivors(hooked: HookedCommand): number[] {
    return markedProcesses(hooked.process)
  }

  /** Ends everything; gives the processes that had to be killed because `end` did not end them. */
  async close(): Promise<number[]> {
    const stubborn: number[] = []
    for (const hooked of this.#commands) {
      hooked.send({ type: 'end', killAfterMs: 500 })
      hooked.supervisor.stdin?.end()
      const timer = setTimeout(() => {
        stubborn.push(hooked.supervisor.pid ?? 0, ...markedProcesses(hooked.process))
        hooked.supervisor.kill('SIGKILL')
        for (const pid of markedProcesses(hooked.process)) kill(pid)
      }, 6_000)
      await hooked.ended
      clearTimeout(timer)
      for (const pid of markedProcesses(hooked.process)) kill(pid)
      hooked.disconnect()
    }
    for (const child of this.#children)
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await this.guard.close()
    this.#server.close()
    return stubborn
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself.
  }
}

/** Living hooked processes of this command, by their mark. */
export const markedProcesses = findMarked

let copy: string | undefined

/** A copy of what runs that any user can read; the checkout itself may lie in a folder of mode 0700. */
function readableCheckout(): string {
  if (copy !== undefined) return copy
  const made = mkdtempSync(join(tmpdir(), 'standin-readable-'))
  copy = made
  process.once('exit', () => rmSync(made, { recursive: true, force: true }))
  for (const folder of ['dist', 'node_modules/koffi', 'node_modules/@koromix', 'test/programs'])
    cpSync(resolve(folder), join(made, folder), { recursive: true })
  execFileSync('chmod', ['-R', 'a+rX', made])
  return made
}
