// Where a cluster is and how its certificate is checked, of a kubeconfig's entry.
import { existsSync, readFileSync } from 'node:fs'
import { createSecureContext, rootCertificates } from 'node:tls'
import { Failure } from '../../../protocol/errors.ts'
import type { Place } from './connect.ts'
import { type Certificate, pemOf } from './credential-files.ts'
import type { Access } from './kubeconfig.ts'
import { proxyFor } from './proxy.ts'

/** Fails with `kubeconfig-invalid` or `cluster-proxy-failed`; connects nowhere. */
export function placeOf(access: Access, certificate: Certificate | undefined, env: NodeJS.ProcessEnv): Place {
  const { cluster } = access
  const server = serverUrl(access)
  const proxy = proxyFor(server, cluster['proxy-url'] ?? undefined, env)
  if (server.protocol === 'http:') return { server, proxy, tls: undefined }
  const authority = pemOf(cluster, 'certificate-authority')
  const skip = cluster['insecure-skip-tls-verify'] === true
  if (skip && authority !== undefined)
    throw new Failure('kubeconfig-invalid', {
      file: cluster.file,
      reason: `cluster "${access.clusterName}" has a certificate-authority and insecure-skip-tls-verify; it may have one of them`,
    })
  try {
    const context = createSecureContext({
      ca: authority ?? trustedByMachine(env),
      ...certificate,
      minVersion: 'TLSv1.2',
    })
    return {
      server,
      proxy,
      tls: { context, serverName: cluster['tls-server-name'] ?? undefined, verify: !skip },
    }
  } catch (cause) {
    const { file } = certificate === undefined ? cluster : access.user
    const reason = `a certificate or key in it cannot be used (${(cause as Error).message.split('\n')[0]})`
    throw new Failure('kubeconfig-invalid', { file, reason }, { cause })
  }
}

/** As kubectl, a server without a scheme is taken for http at a port and https else. */
function serverUrl({ cluster, clusterName }: Access): URL {
  const text = /^https?:\/\//i.test(cluster.server) ? cluster.server : `http://${cluster.server}`
  if (URL.canParse(text) && !/^[a-z]+:\/\/[a-z]+:\/\//i.test(text)) return new URL(text)
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

/** Node trusts only its own list; companies add theirs to the machine's, which kubectl trusts. */
function trustedByMachine(env: NodeJS.ProcessEnv): string[] {
  const bundle = [env.SSL_CERT_FILE ?? '', ...machineBundles].find(path => path !== '' && existsSync(path))
  if (bundle === undefined) return [...rootCertificates]
  try {
    return [...rootCertificates, readFileSync(bundle, 'utf8')]
  } catch {
    return [...rootCertificates]
  }
}
