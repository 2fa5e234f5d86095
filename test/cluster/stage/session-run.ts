// Runs the terminal client of standin on the cluster of the tests, with everything that it says kept.
import { type ChildProcess, spawn } from 'node:child_process'
import type { AgentConfig, SessionConfig } from '../../../protocol/config.ts'
import { programPath } from '../../../protocol/programs.ts'
import { type Lines, linesOf } from '../../stage/lines.ts'
import { programOf } from '../../stage/pod.ts'
import { kubeconfig } from './kubectl.ts'

/** No registry is reachable from the test cluster, so the stock Node image has another name. */
export const agentImage = 'localhost/node:20'

export type StandinRun = {
  readonly child: ChildProcess
  readonly stdout: Lines
  readonly stderr: Lines
  /** Resolves when it has ended and its output is read. */
  readonly code: Promise<number | null>
}

/** Variables that point standin at the cluster; over `base`, the environment of the test. */
export function clusterEnvironment(base: NodeJS.ProcessEnv, more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return { ...base, KUBECONFIG: kubeconfig, STANDIN_AGENT_IMAGE: agentImage, ...more }
}

/** Configuration of a session in this namespace, for clients that speak JSON-RPC. */
export const configIn = (namespace: string, agent: AgentConfig = {}): SessionConfig => ({
  target: { namespace },
  agent: { image: agentImage, ...agent },
})

/** A command that serves the shop's port on this machine and prints a line for each request. */
export const serveShop = [process.execPath, programOf('hash-server.mjs'), '8080']

export const isRequest = (line: string): boolean => line.startsWith('/')

/** A line of hash-server without the local port, which is the pod's own for both, and in one spelling of IPv4 addresses. */
export const requestsOf = (lines: readonly string[]): string[] =>
  lines
    .filter(isRequest)
    .map(line => line.replace('::ffff:', ''))
    .sort()

/** What callers send before this is the pod's alone; the client has to be told to be verbose (-v). */
export async function untilCapturedBy(run: StandinRun, port = 8080): Promise<void> {
  const said = `Port ${port} of the pod is captured`
  await run.stderr.until('the capture', line => line.endsWith(said), 60_000)
}

/** Remembers what it started, so that a test that fails leaves no process. */
export class StandinRuns {
  readonly #children = new Set<ChildProcess>()

  constructor(readonly environment: NodeJS.ProcessEnv) {}

  start(
    args: readonly string[],
    options: { environment?: NodeJS.ProcessEnv; through?: readonly string[]; cwd?: string } = {},
  ): StandinRun {
    const { through = [], environment = {}, cwd } = options
    const [program, ...words] = [...through, process.execPath, programPath('standin'), ...args]
    const child = spawn(program!, words, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...this.environment, ...environment },
      ...(cwd === undefined ? {} : { cwd }),
    })
    this.#children.add(child)
    if (process.env.STANDIN_TEST_LOG) child.stderr!.on('data', text => process.stderr.write(text))
    const code = new Promise<number | null>(resolve => child.on('close', resolve))
    return { child, code, stdout: linesOf(child.stdout), stderr: linesOf(child.stderr) }
  }

  exec(
    of: { namespace: string; target: string },
    command: readonly string[],
    options: { args?: readonly string[] } & Parameters<StandinRuns['start']>[1] = {},
  ): StandinRun {
    const { args = [], ...rest } = options
    return this.start(['exec', '-t', of.target, '-n', of.namespace, ...args, '--', ...command], rest)
  }

  /** Kills what still runs. */
  async end(): Promise<void> {
    await Promise.all([...this.#children].map(endChild))
    this.#children.clear()
  }
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise(resolve => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}
