// How a client runs a command under the hooks itself: argv, environment, shims.
import { hookProcessVariable, hookSocketVariable, hookTokenVariable } from '../../protocol/hook/messages.ts'
import { programPath } from '../../protocol/programs.ts'
import { newToken } from './hook-socket.ts'
import type { HookedProcess } from './hooked-process.ts'
import type { Hooks } from './hooks.ts'
import {
  checkShimNames,
  defaultShims,
  makeShimFolder,
  presentPrograms,
  type ShimFolder,
  shimScript,
} from './shims.ts'

/** What looks after the commands of the session. */
export type Preparing = {
  readonly hooks: Hooks
  track(id: string, label: string, options?: { report?: boolean }): HookedProcess
  arrived(process: HookedProcess): void
}
export type PrepareOptions = {
  command?: string[] | undefined
  shims?: string[] | undefined
  signal: AbortSignal
}
export type Prepared = {
  processId: string
  argv: string[]
  environment: Record<string, string>
  shimFolder: string
  /** Removes the shims and forgets the tokens. */
  remove(): Promise<void>
}

/** A client that asks for no shims gets no folder. */
async function noFolder(): Promise<ShimFolder> {
  return { path: '', async remove() {} }
}

/** argv starts one command, the shims any number: they bring a token of their own, and what they run is not reported by process/exit. */
export async function prepare(processes: Preparing, options: PrepareOptions): Promise<Prepared> {
  checkShimNames(options.shims ?? [])
  const programs = options.shims ?? (await presentPrograms(defaultShims))
  const { hooks } = processes
  const socket = await hooks.socket()
  const processId = hooks.newProcessId()
  const prefix = [process.execPath, programPath('hook'), '--']
  const token = newToken()
  const shimToken = newToken()
  const environmentFor = (id: string, secret: string) => ({
    [hookSocketVariable]: socket.name,
    [hookTokenVariable]: secret,
    [hookProcessVariable]: id,
  })

  const shimId = hooks.newProcessId()
  const makeFolder = programs.length === 0 ? noFolder : makeShimFolder
  const folder = await makeFolder(path =>
    Object.fromEntries(
      programs.map(program => {
        const environment = environmentFor(shimId, shimToken)
        return [program, shimScript({ program, folder: path, prefix, environment })]
      }),
    ),
  )
  if (options.signal.aborted) {
    await folder.remove()
    throw options.signal.reason
  }
  const main = processes.track(processId, options.command?.join(' ') ?? 'the prepared command', {
    report: true,
  })
  const forget = [
    socket.expect(token, { once: true }, channel => {
      main.take(channel)
      processes.arrived(main)
    }),
    socket.expect(shimToken, { once: false }, channel => {
      const shim = processes.track(hooks.newProcessId(), `a program of ${folder.path}`)
      shim.take(channel)
      processes.arrived(shim)
    }),
  ]
  return {
    processId,
    argv: [...prefix, ...(options.command ?? [])],
    environment: environmentFor(processId, token),
    shimFolder: folder.path,
    async remove() {
      for (const one of forget) one()
      await folder.remove()
    },
  }
}
