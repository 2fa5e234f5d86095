// Builds the terminal client into a folder of its own, beside a scripted server, and runs it.
import { type ChildProcess, spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'

export type FakeStandin = {
  /** Path of standin.cjs. */
  readonly program: string
  environment(script: object): NodeJS.ProcessEnv
  run(args: string[], script?: object, options?: { input?: string; environment?: NodeJS.ProcessEnv }): Run
  /** What the server got and started, one line each. */
  log(): string[]
  clearLog(): void
  remove(): void
}

export type Ended = { code: number | null; signal: string | null; stdout: string; stderr: string }
export type Run = { child: ChildProcess; ended: Promise<Ended> }

export async function buildFakeStandin(): Promise<FakeStandin> {
  const folder = mkdtempSync(join(tmpdir(), 'cli-test-'))
  const program = join(folder, 'standin.cjs')
  await build({
    entryPoints: ['clients/cli/main.ts'],
    outfile: program,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    logLevel: 'warning',
  })
  copyFileSync(resolve('test/clients/cli/fake-server.cjs'), join(folder, 'server.cjs'))
  const children = new Set<ChildProcess>()
  const logFile = join(folder, 'log')
  writeFileSync(logFile, '')
  const environment = (script: object) => ({
    ...process.env,
    FAKE_FOLDER: folder,
    FAKE_LOG: logFile,
    FAKE_SCRIPT: JSON.stringify(script),
  })
  return {
    program,
    environment,
    run(args, script = {}, options = {}) {
      const child = spawn(process.execPath, [program, ...args], {
        env: { ...environment(script), ...options.environment },
        stdio: ['pipe', 'pipe', 'pipe'],
      })
      children.add(child)
      child.stdin?.end(options.input ?? '')
      return { child, ended: endOf(child) }
    },
    log: () => (existsSync(logFile) ? readFileSync(logFile, 'utf8').split('\n').slice(0, -1) : []),
    clearLog: () => writeFileSync(logFile, ''),
    remove() {
      for (const child of children) if (child.exitCode === null) child.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function endOf(child: ChildProcess): Promise<Ended> {
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', chunk => (stdout += chunk))
  child.stderr?.on('data', chunk => (stderr += chunk))
  return new Promise(done => child.on('close', (code, signal) => done({ code, signal, stdout, stderr })))
}
