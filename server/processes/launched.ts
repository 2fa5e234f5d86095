// A command that the server launched: its pipes, its supervisor's process, and the report of its end.
import { processExit } from '../../protocol/rpc/processes.ts'
import type { Client } from '../rpc/client.ts'
import type { HookedProcess } from './hooked-process.ts'
import { CommandInput } from './input.ts'
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
  readonly input: CommandInput
  readonly #pump: OutputPump
  #closed!: () => void

  constructor(
    readonly process: HookedProcess,
    readonly supervisor: SpawnedSupervisor,
    readonly client: Client,
  ) {
    this.input = new CommandInput(process.id, supervisor.child.stdin)
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

  async end(): Promise<void> {
    await this.supervisor.end()
  }
}
