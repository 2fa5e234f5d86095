// Whether processes can be hooked on this machine, asked once of the hook program.
import { execFile } from 'node:child_process'
import * as t from 'io-ts'
import { decode, object } from '../../protocol/codec.ts'
import { Failure } from '../../protocol/errors.ts'
import { hookFailure } from '../../protocol/hook/messages.ts'
import { programPath } from '../../protocol/programs.ts'
import { ownEnvironment } from '../own-environment.ts'
import { toldFailure } from '../told-failure.ts'

export type HookSupport = { hooks: true } | { hooks: false; failure: Failure }

const probeTimeoutMs = 10_000
const report = object('ProbeReport', { hooks: [t.boolean, 'whether'] }, { failure: [hookFailure, 'why not'] })
const again = 'Install standin again; "standin serve --log-level debug" shows more'

/** When the signal aborts, the program is killed. Never rejects: a probe that fails says that the hooks are not there. */
export function probeHooks(
  signal: AbortSignal,
  platform: NodeJS.Platform = process.platform,
): Promise<HookSupport> {
  if (platform !== 'linux') {
    const fix = 'Run it on Linux, in WSL 2 or in a dev container'
    return Promise.resolve(unavailable(`this is ${platform}, and the hooks are a feature of Linux`, fix))
  }
  const options = { signal, timeout: probeTimeoutMs, killSignal: 'SIGKILL' as const, env: ownEnvironment() }
  return new Promise(resolve => {
    execFile(process.execPath, [programPath('hook'), '--probe'], options, (failed, stdout, stderr) =>
      resolve(readReport(stdout, failed === null ? '' : stderr.trim().slice(0, 300) || failed.message)),
    )
  })
}

/** What the probe printed, or that it failed. */
export function readReport(stdout: string, trouble: string): HookSupport {
  const checked = decode(report, parsed(stdout))
  if (checked.ok && checked.value.hooks) return { hooks: true }
  if (checked.ok && checked.value.failure !== undefined) {
    const values = { reason: 'the hook program said no', fix: again }
    return {
      hooks: false,
      failure: toldFailure(checked.value.failure, { kind: 'hooks-unavailable', values }),
    }
  }
  return unavailable(`the hook program could not be asked (${trouble || 'it printed no report'})`, again)
}

/** The answer for whoever cannot wait, or knows without asking. */
export const unavailable = (reason: string, fix: string): HookSupport => ({
  hooks: false,
  failure: new Failure('hooks-unavailable', { reason, fix }),
})

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
