// A program of this machine to attach to, without a namespace of its own: it serves HTTP and says so.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

export type SmallTarget = {
  readonly child: ChildProcess
  /** What startSession takes. */
  readonly name: string
  end(): Promise<void>
}

export async function startSmallTarget(
  port: number,
  environment: Record<string, string> = {},
): Promise<SmallTarget> {
  const script = `require("node:http").createServer((request, response) => response.end("pod")).listen(${port}, () => console.log("listening"))`
  const child = spawn(process.execPath, ['-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  })
  const gone = once(child, 'exit')
  await once(child.stdout, 'data')
  return {
    child,
    name: `process/${child.pid}`,
    async end() {
      child.kill('SIGKILL')
      await gone
    },
  }
}
