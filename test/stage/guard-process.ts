// Starts the guard as a server would and keeps its standard input open.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { type Lines, linesOf } from './lines.ts'

export type GuardProcess = {
  readonly child: ChildProcess
  readonly name: string
  readonly token: string
  readonly errors: Lines
  /** Ends its standard input, as the server's death does, and waits until it has exited. */
  close(): Promise<void>
}

export async function startGuard(dist: string, owner: { uid?: number; gid?: number }): Promise<GuardProcess> {
  const token = 'guard-token'
  const child = spawn(process.execPath, [join(dist, 'guard.cjs')], { stdio: 'pipe', ...owner })
  const errors = linesOf(child.stderr)
  const output = linesOf(child.stdout)
  const exited = once(child, 'exit')
  child.stdin.write(`${JSON.stringify({ token })}\n`)
  const { listening } = JSON.parse(await output.until('the guard\'s {"listening"}', () => true)) as {
    listening: string
  }
  return {
    child,
    name: listening,
    token,
    errors,
    async close() {
      child.stdin.end()
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
      await exited
      clearTimeout(timer)
    },
  }
}
