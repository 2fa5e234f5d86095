// A command that the server launched: its pipes, its supervisor's process, and the report of its end.
import { finished } from 'node:stream/promises'
import { Failure } from '../../protocol/errors.ts'
import { processExit } from '../../protocol/rpc/processes.ts'
import type { Client } from '../rpc/client.ts'
import type { HookedProcess } from './hooked-process.ts'
import { OutputPump } from './output.ts'
import type { SpawnedSupervisor, StdinMode } from './spawned.ts'

export type LaunchOptions = {
  command: string[]
  cwd?: string | undefined
  environment?: Record<string, string | null> | undefined
  stdin: StdinMode
}

export class LaunchedProcess {
  /** Resolves when its exit was reported. */
  readonly closed: Promise<void>
  readonly #pump: OutputPump
  #closed!: () => void

  constructor(
    readonly process: HookedProcess,
    readonly supervisor: SpawnedSupervisor,
    readonly client: Client,
  ) {
    this.#pump = new OutputPump(client, process.id)
    this.closed = new Promise(resolve => (this.#closed = resolve))
    void process.started.catch(() => this.#closed())
    void process.gone.then(() => supervisor.end())
  }

  /** To be called when the client has been told the process's id, so that output does not overtake it. */
  report(): void {
    const { stdout, stderr } = this.supervisor.output
    this.#pump.add('stdout', stdout)
    this.#pump.add('stderr', stderr)
    void this.process.exited.then(async exit => {
      await this.#pump.drained()
      this.client.notify(processExit, { processId: this.process.id, ...exit })
      this.#closed()
    })
  }

  /** Resolves when the pipe has taken the data. */
  async write(data: Buffer, { end }: { end: boolean }): Promise<void> {
    const { stdin } = this.supervisor.child
    const closed = (cause?: unknown) =>
      new Failure('stdin-closed', { processId: this.process.id }, cause === undefined ? {} : { cause })
    if (!stdin?.writable) throw closed()
    await new Promise<void>((resolve, reject) => {
      stdin.write(data, error => (error ? reject(closed(error)) : resolve()))
    })
    if (!end) return
    stdin.end()
    await finished(stdin, { readable: false }).catch(() => {})
  }

  async end(): Promise<void> {
    await this.supervisor.end()
  }
}
