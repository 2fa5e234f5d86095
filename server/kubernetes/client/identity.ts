// Who we are to a cluster: the headers and the certificate of a kubeconfig's user.
import { readFileSync } from 'node:fs'
import { Failure } from '../../../protocol/errors.ts'
import type { Log } from '../../log.ts'
import { createExecPlugin } from './exec-plugin.ts'
import type { Access } from './kubeconfig.ts'
import type { UserEntry } from './kubeconfig-file.ts'

export type Identity = {
  /** `Authorization` and the headers of impersonation. */
  headers: Readonly<Record<string, string | string[]>>
  /** PEM. */
  certificate?: { cert: string; key: string } | undefined
}

export type IdentitySource = {
  /** The identity for the next request. Fails with `credentials-failed` or `kubeconfig-invalid`. */
  get(signal: AbortSignal): Promise<Identity>
  /** Called when the cluster did not accept `refused`; true when another one may be had by asking again. */
  renew(refused: Identity): boolean
  close(): void
}

export function createIdentitySource(
  access: Access,
  options: { env: NodeJS.ProcessEnv; log: Log },
): IdentitySource {
  const { user } = access
  checkUser(access)
  const impersonation = impersonationOf(user)
  const certificate = certificateOf(user)
  const fixed = (authorization: string | undefined): Identity => ({
    headers: { ...(authorization === undefined ? {} : { Authorization: authorization }), ...impersonation },
    certificate,
  })
  const still = (identity: () => Identity): IdentitySource => ({
    get: async () => identity(),
    renew: () => false,
    close() {},
  })
  if (user.tokenFile) return tokenFileSource(access, fixed)
  if (user.token) return still(() => fixed(`Bearer ${user.token}`))
  if (user.username || user.password) {
    const login = Buffer.from(`${user.username ?? ''}:${user.password ?? ''}`).toString('base64')
    return still(() => fixed(`Basic ${login}`))
  }
  if (user.exec == null) return still(() => fixed(undefined))
  const plugin = createExecPlugin(access, user.exec, options)
  let last: { from: object; identity: Identity } | undefined
  return {
    async get(signal) {
      const credential = await plugin.get(signal)
      // The same object as long as nothing changed: connections are kept by it.
      if (last?.from !== credential) {
        const own = fixed(credential.token === undefined ? undefined : `Bearer ${credential.token}`)
        last = { from: credential, identity: { ...own, certificate: credential.certificate ?? certificate } }
      }
      return last.identity
    },
    renew: refused => plugin.renew(last?.identity === refused ? (last.from as never) : undefined),
    close: () => plugin.close(),
  }
}

function checkUser({ user, userName }: Access): void {
  const wrong = (reason: string) =>
    new Failure('kubeconfig-invalid', { file: user.file, reason: `user "${userName}" ${reason}` })
  if (user['auth-provider'] != null)
    throw new Failure('credentials-failed', {
      user: userName,
      reason: `its auth-provider "${user['auth-provider'].name}" was removed from Kubernetes 1.26`,
      fix: 'Log in with the provider’s exec plugin (kubelogin, gke-gcloud-auth-plugin...), which writes "exec" in its place',
    })
  if ((user.token || user.tokenFile) && (user.username || user.password))
    throw wrong('has a token and a password; it may have one of them')
  if (
    !user.as &&
    (user['as-uid'] || user['as-groups']?.length || Object.keys(user['as-user-extra'] ?? {}).length > 0)
  )
    throw wrong('has as-groups, as-uid or as-user-extra without "as"')
}

/** Source: Kubernetes documentation, "User impersonation". */
function impersonationOf(user: UserEntry): Record<string, string | string[]> {
  if (!user.as) return {}
  const extra = Object.entries(user['as-user-extra'] ?? {}).map(([key, values]) => [
    `Impersonate-Extra-${headerKey(key)}`,
    values,
  ])
  return {
    'Impersonate-User': user.as,
    ...(user['as-uid'] ? { 'Impersonate-Uid': user['as-uid'] } : {}),
    ...(user['as-groups']?.length ? { 'Impersonate-Group': user['as-groups'] } : {}),
    ...Object.fromEntries(extra),
  }
}

/** What a header's name cannot hold is percent-encoded; source: client-go, transport/round_trippers.go, headerKeyEscape. */
function headerKey(key: string): string {
  return [...Buffer.from(key, 'utf8')]
    .map(byte => {
      const character = String.fromCharCode(byte)
      return /[!#$&'*+.^_`|~0-9A-Za-z-]/.test(character)
        ? character
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
    })
    .join('')
}

function certificateOf(user: UserEntry): Identity['certificate'] {
  const cert = pemOf(user, 'client-certificate')
  const key = pemOf(user, 'client-key')
  if (cert === undefined && key === undefined) return undefined
  if (cert === undefined || key === undefined) {
    const missing = cert === undefined ? 'client-certificate' : 'client-key'
    throw new Failure('kubeconfig-invalid', {
      file: user.file,
      reason: `a user has no ${missing} to go with the other half`,
    })
  }
  return { cert, key }
}

/** The text that `field` or `field-data` gives; data comes first, as for kubectl. */
export function pemOf<F extends string>(
  entry: { file: string } & { [K in F | `${F}-data`]?: string | null | undefined },
  field: F,
): string | undefined {
  const fields: Readonly<Record<string, unknown>> = entry
  const data = fields[`${field}-data`]
  if (typeof data === 'string' && data !== '') return Buffer.from(data, 'base64').toString('utf8')
  const path = fields[field]
  if (typeof path !== 'string' || path === '') return undefined
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const reason = `its ${field} "${path}" ${code === 'ENOENT' ? 'is not there' : `cannot be read (${code})`}`
    throw new Failure('kubeconfig-invalid', { file: entry.file, reason }, { cause })
  }
}

/** The kubelet and cloud tools replace the file while we run, so it is read again, at most once a second. */
const rereadMs = 1_000

function tokenFileSource(
  { user, userName }: Access,
  fixed: (authorization: string) => Identity,
): IdentitySource {
  let last: { token: string; identity: Identity; readAtMs: number } | undefined
  const read = (): Identity => {
    const token = readToken(user, userName)
    const identity = last?.token === token ? last.identity : fixed(`Bearer ${token}`)
    last = { token, identity, readAtMs: performance.now() }
    return identity
  }
  return {
    get: async () =>
      last !== undefined && performance.now() - last.readAtMs < rereadMs ? last.identity : read(),
    renew(refused) {
      // Told at once whether the file holds another token than the one refused.
      return read() !== refused
    },
    close() {},
  }
}

function readToken(user: UserEntry, userName: string): string {
  const file = user.tokenFile ?? ''
  const fix = `Log in to the cluster again, or correct "tokenFile" in "${user.file}"`
  try {
    const token = readFileSync(file, 'utf8').trim()
    if (token !== '') return token
  } catch (cause) {
    if (user.token) return user.token
    const reason = `token file "${file}" cannot be read (${(cause as NodeJS.ErrnoException).code})`
    throw new Failure('credentials-failed', { user: userName, reason, fix }, { cause })
  }
  if (user.token) return user.token
  throw new Failure('credentials-failed', { user: userName, reason: `token file "${file}" is empty`, fix })
}
