// Whether processes can be hooked on this machine, asked once of the hook program.
import { execFile } from 'node:child_process'
import * as t from 'io-ts'
import { decode, object } from '../../protocol/codec.ts'
import { programPath } from '../../protocol/programs.ts'
import { ownEnvironment } from '../own-environment.ts'

export type HookSupport = { hooks: true } | { hooks: false; reason: string; fix: string }

const probeTimeoutMs = 10_000
const report = object(
  'ProbeReport',
  { hooks: [t.boolean, 'whether'] },
  { reason: [t.string, 'why not'], fix: [t.string, 'what helps'] },
)

/** When the signal aborts, the program is killed. Never rejects: a probe that fails says that the hooks are not there. */
export function probeHooks(
  signal: AbortSignal,
  platform: NodeJS.Platform = process.platform,
): Promise<HookSupport> {
  if (platform !== 'linux') {
    const fix = 'Run it on Linux, in WSL 2 or in a dev container'
    return Promise.resolve({
      hooks: false,
      reason: `this is ${platform}, and the hooks are a feature of Linux`,
      fix,
    })
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
  const said: { reason?: string | undefined; fix?: string | undefined } = checked.ok ? checked.value : {}
  return {
    hooks: false,
    reason: said.reason ?? `the hook program could not be asked (${trouble || 'it printed no report'})`,
    fix: said.fix ?? 'Install standin again; "standin serve --log-level debug" shows more',
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
