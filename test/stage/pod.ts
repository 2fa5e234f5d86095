// A stand-in pod for journeys: a program that serves in a network namespace, and callers in another one, joined by a cable.
import type { ChildProcess } from 'node:child_process'
import { resolve } from 'node:path'
import { type Lines, linesOf } from './lines.ts'
import { type Cable, connectNamespaces, type Namespace, startNamespace } from './namespace.ts'

export type Pod = {
  /** What startSession takes. */
  readonly target: string
  readonly server: ChildProcess
  readonly lines: Lines
  readonly namespace: Namespace
  readonly callers: Namespace
  readonly cable: Cable
  readonly port: number
  /** Starts test/programs/hash-callers.mjs among the callers; the result is its closing line. */
  call(count: number, atOnce: number, address?: string): Calls
  end(): Promise<void>
}

export type CallResult = { answered: number; wrong: number; failed: number; errors: string[] }
export type Calls = {
  readonly child: ChildProcess
  readonly result: Promise<CallResult>
  stop(): Promise<CallResult>
}

export function programOf(name: string): string {
  return resolve('test/programs', name)
}

/** Serves hash-server.mjs at port 8080 of a fresh namespace, or another command that prints a line with "listening". */
export async function startPod(
  options: {
    port?: number
    address?: string
    command?: readonly [string, ...string[]]
    environment?: NodeJS.ProcessEnv
  } = {},
): Promise<Pod> {
  const port = options.port ?? 8080
  const namespace = await startNamespace()
  const callers = await startNamespace({ beside: namespace })
  const cable = await connectNamespaces(namespace, callers)
  const [program, ...args] = options.command ?? [
    process.execPath,
    programOf('hash-server.mjs'),
    String(port),
    options.address ?? '::',
  ]
  const server = namespace.spawn(program!, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, SHOP_REGION: 'pod', ...options.environment },
  })
  const lines = linesOf(server.stdout)
  await lines.until('the pod listening', line => line.includes('listening'))
  return {
    target: `process/${server.pid}`,
    server,
    lines,
    namespace,
    callers,
    cable,
    port,
    call: (count, atOnce, address = cable.first.ipv4) => startCalls(callers, address, port, count, atOnce),
    async end() {
      await callers.end()
      await namespace.end()
    },
  }
}

function startCalls(callers: Namespace, address: string, port: number, count: number, atOnce: number): Calls {
  const args = [programOf('hash-callers.mjs'), address, String(port), String(count), String(atOnce)]
  const child = callers.spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = linesOf(child.stdout)
  const result = lines
    .until("the callers' result", line => line.startsWith('{'), 120_000)
    .then(line => JSON.parse(line) as CallResult)
  result.catch(() => {}) // reported to whoever awaits it
  return {
    child,
    result,
    stop() {
      child.kill('SIGTERM')
      return result
    },
  }
}
