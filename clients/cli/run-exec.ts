// From the parsed command line of exec to a run.
import { exec } from './exec.ts'
import { type ExecOptions, sessionParams } from './exec-options.ts'
import { reporterFor } from './reporter.ts'

export async function runExec(command: string[], options: ExecOptions): Promise<number> {
  const session = sessionParams(options, process.cwd())
  const json = options.output === 'json'
  const reporter = await reporterFor({ ...options, json })
  const { verbose = false, connections = false } = options
  return exec({ command, session, reporter, verbose, connections, json })
}
