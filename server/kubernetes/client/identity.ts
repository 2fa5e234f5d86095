// Who we are to a cluster: the headers and the certificate of a kubeconfig's user, as fresh as they can be had.
import { Failure } from '../../../protocol/errors.ts'
import type { Access } from './access.ts'
import { type Certificate, certificateOf, pemOf, readTokenFile } from './credential-files.ts'
import type { ExecCluster, ExecCredential } from './exec-credential.ts'
import { createExecPlugin, type ExecPlugin } from './exec-plugin.ts'
import { impersonationOf } from './impersonation.ts'
import type { Voice } from './voice.ts'

export type Identity = {
  /** `Authorization`, and those of impersonation. */
  headers: Readonly<Record<string, string | string[]>>
  certificate: Certificate | undefined
}

export type IdentitySource = {
  /** For the next request; the same object as long as nothing changed. Fails with `credentials-failed` or `kubeconfig-invalid`. */
  get(signal: AbortSignal): Promise<Identity>
  /** Called when the cluster did not accept `refused`; true when the next `get` gives another. */
  renew(refused: Identity): boolean
  close(): void
}

/** Runs no plugin yet. Fails with `kubeconfig-invalid` or `credentials-failed` when the entry can never work. */
export function createIdentitySource(
  access: Access,
  options: Voice & { env: NodeJS.ProcessEnv },
): IdentitySource {
  checkUser(access)
  const { user, userName } = access
  const inKubeconfig = user.token || user.tokenFile || user.username || user.password
  // As for kubectl, what the kubeconfig holds itself comes before a plugin.
  if (user.exec == null || inKubeconfig || certificateOf(user) !== undefined) return new EntrySource(access)
  const cluster = execCluster(access)
  const plugin = createExecPlugin({ user: userName, file: user.file, entry: user.exec, cluster, ...options })
  return new PluginSource(access, plugin)
}

/** The kubelet and tools of clouds replace the file of a token while we run, so it is read again, at most once a second. */
const rereadMs = 1_000

class EntrySource implements IdentitySource {
  readonly #access: Access
  #identity: Identity | undefined
  #certificate: Certificate | undefined
  #readAtMs = Number.NEGATIVE_INFINITY

  constructor(access: Access) {
    this.#access = access
    this.#certificate = certificateOf(access.user)
  }

  async get(): Promise<Identity> {
    return this.#identity !== undefined && performance.now() - this.#readAtMs < rereadMs
      ? this.#identity
      : this.#read()
  }

  /** Certificates are read again only here: between the two files' being replaced they would not fit each other. */
  renew(refused: Identity): boolean {
    this.#certificate = certificateOf(this.#access.user)
    return this.#read() !== refused
  }

  close(): void {}

  #read(): Identity {
    const identity = identityOf(this.#access, authorizationOf(this.#access), this.#certificate)
    const same = JSON.stringify(identity) === JSON.stringify(this.#identity)
    if (!same || this.#identity === undefined) this.#identity = identity
    this.#readAtMs = performance.now()
    return this.#identity
  }
}

class PluginSource implements IdentitySource {
  readonly #access: Access
  readonly #plugin: ExecPlugin
  #last: { from: ExecCredential; identity: Identity } | undefined

  constructor(access: Access, plugin: ExecPlugin) {
    this.#access = access
    this.#plugin = plugin
  }

  async get(signal: AbortSignal): Promise<Identity> {
    const credential = await this.#plugin.get(signal)
    if (this.#last?.from !== credential) {
      const { token, certificate } = credential
      const authorization = token === undefined ? undefined : `Bearer ${token}`
      this.#last = { from: credential, identity: identityOf(this.#access, authorization, certificate) }
    }
    return this.#last.identity
  }

  renew(refused: Identity): boolean {
    return this.#last?.identity !== refused || this.#plugin.renew(this.#last.from)
  }

  close(): void {
    this.#plugin.close()
  }
}

function identityOf(
  { user }: Access,
  authorization: string | undefined,
  certificate: Certificate | undefined,
): Identity {
  const own = authorization === undefined ? {} : { Authorization: authorization }
  return { headers: { ...own, ...impersonationOf(user) }, certificate }
}

function authorizationOf(access: Access): string | undefined {
  const { user } = access
  if (user.tokenFile) return `Bearer ${readTokenFile(user.tokenFile, access)}`
  if (user.token) return `Bearer ${user.token}`
  if (!user.username && !user.password) return undefined
  return `Basic ${Buffer.from(`${user.username ?? ''}:${user.password ?? ''}`).toString('base64')}`
}

function checkUser({ user, userName }: Access): void {
  const provider = user['auth-provider']
  if (provider != null)
    throw new Failure('credentials-failed', {
      user: userName,
      reason: `its auth-provider "${provider.name}" was removed with Kubernetes 1.26`,
      fix: 'Log in with the exec plugin of your provider (kubelogin, gke-gcloud-auth-plugin...), which writes "exec" in its place',
    })
  const wrong = (reason: string) =>
    new Failure('kubeconfig-invalid', { file: user.file, reason: `user "${userName}" ${reason}` })
  if ((user.token || user.tokenFile) && (user.username || user.password))
    throw wrong('has a token and a password, and may have only one of them')
  const more = user['as-uid'] || user['as-groups']?.length || Object.keys(user['as-user-extra'] ?? {}).length
  if (!user.as && more) throw wrong('has as-groups, as-uid or as-user-extra, and no "as"')
}

/** What a plugin with provideClusterInfo is told of the cluster. */
function execCluster({ cluster }: Access): ExecCluster {
  const authority = pemOf(cluster, 'certificate-authority')
  const extension = cluster.extensions?.find(({ name }) => name === 'client.authentication.k8s.io/exec')
  return {
    server: cluster.server,
    ...(cluster['tls-server-name'] ? { 'tls-server-name': cluster['tls-server-name'] } : {}),
    ...(cluster['insecure-skip-tls-verify'] ? { 'insecure-skip-tls-verify': true } : {}),
    ...(authority === undefined
      ? {}
      : { 'certificate-authority-data': Buffer.from(authority).toString('base64') }),
    ...(cluster['proxy-url'] ? { 'proxy-url': cluster['proxy-url'] } : {}),
    ...(cluster['disable-compression'] ? { 'disable-compression': true } : {}),
    ...(extension === undefined ? {} : { config: extension.extension }),
  }
}
