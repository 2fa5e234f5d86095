// Where a cluster is and how its certificate is checked, of a kubeconfig's entry.
import { readFileSync } from 'node:fs'
import {
  createSecureContext,
  rootCertificates,
  type SecureContext,
  type SecureContextOptions,
} from 'node:tls'
import { Failure } from '../../../protocol/errors.ts'
import type { Access } from './access.ts'
import type { Place } from './connect.ts'
import { type Certificate, pemOf } from './credential-files.ts'
import { type ClusterProxy, proxyFor } from './proxy.ts'

/** A cluster at the other end of the world, through a proxy, needs 2 s. */
const defaultConnectTimeoutMs = 10_000

type Options = { env: NodeJS.ProcessEnv; connectTimeoutMs?: number | undefined }

/** The URL of the API server. Fails as `placeOf` does for whatever needs no certificate to be read. */
export function checkedServer(access: Access, { env }: Options): URL {
  const server = serverUrl(access)
  proxyFor(server, access.cluster['proxy-url'], env)
  authorityOf(access)
  return server
}

/** Fails with `kubeconfig-invalid` or `cluster-proxy-failed`; connects nowhere. */
export function placeOf(access: Access, certificate: Certificate | undefined, options: Options): Place {
  const { env, connectTimeoutMs = defaultConnectTimeoutMs } = options
  const { cluster } = access
  const server = serverUrl(access)
  const authority = authorityOf(access)
  const proxy = proxyOf(server, access, authority, env)
  if (server.protocol === 'http:') return { server, proxy, connectTimeoutMs, tls: undefined }
  const verify = cluster['insecure-skip-tls-verify'] !== true
  const ca = authority ?? (verify ? trustedByMachine(env) : undefined)
  const { file } = certificate === undefined ? cluster : access.user
  const context = contextOf({ ca, ...certificate }, file)
  return { server, proxy, connectTimeoutMs, tls: { context, serverName: cluster['tls-server-name'], verify } }
}

function contextOf(options: SecureContextOptions, file: string): SecureContext {
  try {
    return createSecureContext({ ...options, minVersion: 'TLSv1.2' })
  } catch (cause) {
    const reason = `a certificate or key in it cannot be used (${(cause as Error).message.split('\n')[0]})`
    throw new Failure('kubeconfig-invalid', { file, reason }, { cause })
  }
}

/** A proxy that speaks TLS is vouched for by the machine's authorities or, as with kubectl, by the cluster's. */
function proxyOf(
  server: URL,
  { cluster }: Access,
  authority: string | undefined,
  env: NodeJS.ProcessEnv,
): ClusterProxy | undefined {
  const url = proxyFor(server, cluster['proxy-url'], env)
  if (url?.protocol !== 'https:') return url === undefined ? undefined : { url }
  const ca = [trustedByMachine(env) ?? rootCertificates, authority ?? []].flat()
  return { url, tls: contextOf({ ca }, cluster.file) }
}

function authorityOf({ cluster, clusterName }: Access): string | undefined {
  const authority = pemOf(cluster, 'certificate-authority')
  if (cluster['insecure-skip-tls-verify'] === true && authority !== undefined)
    throw new Failure('kubeconfig-invalid', {
      file: cluster.file,
      reason: `cluster "${clusterName}" has a certificate-authority and insecure-skip-tls-verify; it may have one of them`,
    })
  return authority
}

/** A server without a scheme is https if anything of its entries is about TLS; source: client-go, rest/url_utils.go. */
function serverUrl({ cluster, clusterName, user }: Access): URL {
  const secure =
    Boolean(cluster['certificate-authority'] || cluster['certificate-authority-data']) ||
    Boolean(user['client-certificate'] || user['client-certificate-data']) ||
    cluster['insecure-skip-tls-verify'] === true
  const whole = /^[a-z]+:\/\//i.test(cluster.server)
  const text = whole ? cluster.server : `${secure ? 'https' : 'http'}://${cluster.server}`
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return new URL(text)
  throw new Failure('kubeconfig-invalid', {
    file: cluster.file,
    reason: `the server of cluster "${clusterName}" is no URL: "${cluster.server}"`,
  })
}

/** Where Linux distributions keep what the machine trusts; source: Go, crypto/x509/root_linux.go. */
const machineBundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
]

/**
 * Node trusts only its own list; companies add theirs to the machine's, which kubectl trusts. Where there is none (macOS, Windows), Node's it is.
 * Reading one takes about 50 ms.
 */
function trustedByMachine(env: NodeJS.ProcessEnv): string | undefined {
  for (const path of [env.SSL_CERT_FILE ?? '', ...machineBundles]) {
    try {
      return readFileSync(path, 'utf8')
    } catch {
      // Not there, or not for us: the next one.
    }
  }
  return undefined
}
