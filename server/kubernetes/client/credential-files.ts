// Certificates, keys and tokens of a kubeconfig's entries: in the entry itself, or in files that it names.
import { readFileSync } from 'node:fs'
import { Failure } from '../../../protocol/errors.ts'
import type { Access } from './access.ts'
import type { UserEntry } from './kubeconfig-file.ts'

/** PEM. */
export type Certificate = { cert: string; key: string }

/** Fails with `kubeconfig-invalid` for half of a pair, or a file that cannot be read. */
export function certificateOf(user: UserEntry): Certificate | undefined {
  const cert = pemOf(user, 'client-certificate')
  const key = pemOf(user, 'client-key')
  if (cert === undefined && key === undefined) return undefined
  if (cert !== undefined && key !== undefined) return { cert, key }
  const reason =
    cert === undefined ? 'a client-key and no client-certificate' : 'a client-certificate and no client-key'
  throw new Failure('kubeconfig-invalid', { file: user.file, reason: `a user has ${reason}` })
}

/** The text that `FIELD-data` or the file of `FIELD` holds; data comes first, as for kubectl. */
export function pemOf(
  entry: Readonly<Record<string, unknown>> & { file: string },
  field: 'certificate-authority' | 'client-certificate' | 'client-key',
): string | undefined {
  const data = entry[`${field}-data`]
  if (typeof data === 'string' && data !== '') return Buffer.from(data, 'base64').toString('utf8')
  const path = entry[field]
  if (typeof path !== 'string' || path === '') return undefined
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const state = code === 'ENOENT' ? 'is not there' : `cannot be read (${code})`
    throw new Failure(
      'kubeconfig-invalid',
      { file: entry.file, reason: `its ${field} "${path}" ${state}` },
      { cause },
    )
  }
}

/** The token of `tokenFile`, else, as for kubectl, that of the entry. Fails with `credentials-failed`. */
export function readTokenFile(path: string, { user, userName }: Access): string {
  const fix = `Log in to the cluster again, or correct tokenFile in "${user.file}"`
  const failed = (state: string, cause?: unknown) =>
    new Failure(
      'credentials-failed',
      { user: userName, reason: `its token file "${path}" ${state}`, fix },
      { cause },
    )
  try {
    const token = readFileSync(path, 'utf8').trim()
    if (token !== '') return token
  } catch (cause) {
    if (user.token) return user.token
    throw failed(`cannot be read (${(cause as NodeJS.ErrnoException).code})`, cause)
  }
  if (user.token) return user.token
  throw failed('is empty')
}
