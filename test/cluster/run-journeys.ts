// The command "npm run test:cluster [-- FILE...]": the journeys on the cluster of KUBECONFIG, or on the test cluster, which it starts and ends unless it ran already.
import { spawn } from 'node:child_process'
import { join, resolve } from 'node:path'
import { adminKubeconfig, sourceRoot } from './layout.ts'
import { runningPid } from './processes.ts'

const given = process.argv.slice(2)
const kubeconfig = process.env.KUBECONFIG || undefined
const ran = runningPid('kube-apiserver') !== undefined
// A cluster that was given is not ours to start, to end or to break, unless it is the test cluster itself.
const ours = kubeconfig === undefined || resolve(kubeconfig) === adminKubeconfig

// The first signal ends the tests; what follows them still happens.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child?.kill(signal))
let child: ReturnType<typeof spawn> | undefined

async function run(command: string[], env: Record<string, string> = {}): Promise<number> {
  child = spawn(command[0]!, command.slice(1), { stdio: 'inherit', env: { ...process.env, ...env } })
  return new Promise((done, reject) => {
    child?.once('error', reject)
    child?.once('exit', (code, signal) => done(code ?? (signal === null ? 1 : 128)))
  })
}

const tsx = [process.execPath, ...process.execArgv]
const cluster = (...args: string[]): Promise<number> => run([...tsx, join(sourceRoot, 'main.ts'), ...args])

async function journeys(): Promise<number> {
  if (kubeconfig === undefined && (await cluster('up', '--workloads')) !== 0) return 1
  const files = given.length > 0 ? given : ['test/cluster/**/*.test.ts']
  const breaking = ours ? [] : ['--ignore', 'test/cluster/**/*outage*.test.ts']
  const mocha = ['node_modules/.bin/mocha', '--config', 'test/cluster/.mocharc.json', ...breaking, ...files]
  return run(mocha, { KUBECONFIG: kubeconfig ?? adminKubeconfig })
}

process.exitCode = await journeys()
if (kubeconfig === undefined && !ran && (await cluster('down')) !== 0) process.exitCode ||= 1
