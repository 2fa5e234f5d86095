// Runs the command of a container runtime with a deadline; asking is all that is ever done with it.
import { execFile } from 'node:child_process'
import { Failure } from '../../../protocol/errors.ts'

export type Ran = { code: number; stdout: string; stderr: string }

/** `missing` when there is no such program; throws `runtime-failed` when it does not answer in time. Injected, so that tests need no runtime. */
export type Run = (command: readonly [string, ...string[]]) => Promise<Ran | 'missing'>

const deadlineMs = 5_000
const maxOutputBytes = 64 << 20

export const run: Run = ([program, ...args]) =>
  new Promise((resolve, reject) => {
    const options = { timeout: deadlineMs, killSignal: 'SIGKILL', maxBuffer: maxOutputBytes } as const
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) resolve({ code: 0, stdout, stderr })
      else if (error.code === ('ENOENT' as never)) resolve('missing')
      else if (typeof error.code === 'number') resolve({ code: error.code, stdout, stderr })
      else
        reject(
          runtimeFailure(
            [program, ...args],
            error.killed ? `no answer in ${deadlineMs / 1_000} s` : error.message,
          ),
        )
    })
    child.stdin?.end()
  })

/** The failure of a command that ran and said no; its last line of stderr says why. */
export function refusal(command: readonly [string, ...string[]], { code, stderr }: Ran): Failure {
  const lines = stderr.trim().split('\n')
  return runtimeFailure(command, lines.at(-1)?.slice(0, 300) || `exit code ${code}`)
}

export function runtimeFailure(command: readonly [string, ...string[]], reason: string): Failure {
  return new Failure('runtime-failed', { runtime: command[0], reason, command: command.join(' ') })
}
