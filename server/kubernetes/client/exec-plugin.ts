// Credentials from the program that a kubeconfig names: asked once, kept until they expire.
import { Failure } from '../../../protocol/errors.ts'
import type { Log } from '../../log.ts'
import type { Access } from './kubeconfig.ts'
import type { ExecEntry } from './kubeconfig-file.ts'

export type ExecCredential = {
  token?: string | undefined
  certificate?: { cert: string; key: string } | undefined
  /** Milliseconds of the epoch; undefined for as long as it works. */
  expiresAtMs?: number | undefined
}

export type ExecPlugin = {
  get(signal: AbortSignal): Promise<ExecCredential>
  renew(refused: ExecCredential | undefined): boolean
  close(): void
}

export function createExecPlugin(
  access: Access,
  _entry: ExecEntry,
  _options: { env: NodeJS.ProcessEnv; log: Log },
): ExecPlugin {
  throw new Failure('credentials-failed', {
    user: access.userName,
    reason: 'exec plugins are not run yet',
    fix: 'Use a token',
  })
}
