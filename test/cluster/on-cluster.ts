// Runs programs on the cluster of KUBECONFIG, or on the test cluster, which is started for them and ended unless it ran already.
import { spawn } from 'node:child_process'
import { join, resolve } from 'node:path'
import { adminKubeconfig, sourceRoot } from './layout.ts'
import { runningPid } from './processes.ts'

export type OnCluster = {
  /** False for a cluster that was given: it is not ours to start, to end or to break, unless it is the test cluster itself. */
  readonly ours: boolean
  /** Runs a command with KUBECONFIG set; resolves with its exit code. */
  run(command: readonly string[]): Promise<number>
}

const given = process.env.KUBECONFIG || undefined
let child: ReturnType<typeof spawn> | undefined

async function run(command: readonly string[], kubeconfig?: string): Promise<number> {
  const env = kubeconfig === undefined ? process.env : { ...process.env, KUBECONFIG: kubeconfig }
  child = spawn(command[0]!, command.slice(1), { stdio: 'inherit', env })
  return new Promise((done, reject) => {
    child?.once('error', reject)
    child?.once('exit', (code, signal) => done(code ?? (signal === null ? 1 : 128)))
  })
}

const cluster = (...args: string[]): Promise<number> =>
  run([process.execPath, ...process.execArgv, join(sourceRoot, 'main.ts'), ...args])

/** Resolves with the exit code of `work`, or 1 when the cluster did not come up or down. The first signal ends what `work` runs; what follows it still happens. */
export async function onCluster(work: (on: OnCluster) => Promise<number>): Promise<number> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child?.kill(signal))
  const ran = runningPid('kube-apiserver') !== undefined
  const ours = given === undefined || resolve(given) === adminKubeconfig
  if (given === undefined && (await cluster('up', '--workloads')) !== 0) return 1
  const code = await work({ ours, run: command => run(command, given ?? adminKubeconfig) })
  if (given !== undefined || ran) return code
  return (await cluster('down')) === 0 ? code : code || 1
}
