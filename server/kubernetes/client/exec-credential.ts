// What is said to a credential plugin, and what its answer means; pure.
import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { ExecEntry } from './kubeconfig-file.ts'

/** Source: Kubernetes API, client.authentication.k8s.io, ExecCredential. */
export type ExecCredential = {
  token?: string
  certificate?: { cert: string; key: string }
  /** Milliseconds of the epoch; without it, it holds until it is refused. */
  expiresAtMs?: number
}

/** `spec.cluster` of what a plugin is told. */
export type ExecCluster = {
  server: string
  'tls-server-name'?: string
  'insecure-skip-tls-verify'?: boolean
  /** base64. */
  'certificate-authority-data'?: string
  'proxy-url'?: string
  'disable-compression'?: boolean
  config?: unknown
}

/** An entry that can be run. */
export type CheckedEntry = ExecEntry & { command: string; apiVersion: string }

export const execVersions = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1']

/** The text of `KUBERNETES_EXEC_INFO`. */
export function execInfo(entry: CheckedEntry, cluster: ExecCluster): string {
  // Our standard input is the editor's, so there is never a terminal for the plugin.
  const spec = { ...(entry.provideClusterInfo === true ? { cluster } : {}), interactive: false }
  return JSON.stringify({ kind: 'ExecCredential', apiVersion: entry.apiVersion, spec })
}

/** Throws an `Error` whose message goes on "its plugin ...", without anything secret from the output. */
export function readExecCredential(output: Buffer, apiVersion: string, nowMs: number): ExecCredential {
  const answer = parse(output)
  if (answer.kind !== undefined && answer.kind !== 'ExecCredential')
    throw new Error(`printed a ${String(answer.kind).slice(0, 40)} and no ExecCredential`)
  if (answer.apiVersion !== apiVersion)
    throw new Error(
      `answered as ${String(answer.apiVersion).slice(0, 60)}; the kubeconfig says ${apiVersion}`,
    )
  const { status } = answer
  if (typeof status !== 'object' || status === null) throw new Error('answered without a status')
  const {
    token,
    clientCertificateData: cert,
    clientKeyData: key,
    expirationTimestamp,
  } = status as Record<string, unknown>
  if (!isText(token) && !isText(cert) && !isText(key))
    throw new Error('answered with no token and no certificate')
  if (isText(cert) !== isText(key)) throw new Error('answered with half of a certificate and its key')
  if (isText(cert) && isText(key)) checkPair(cert, key)
  const expiresAtMs = expiryOf(expirationTimestamp, nowMs)
  return {
    ...(isText(token) ? { token } : {}),
    ...(isText(cert) && isText(key) ? { certificate: { cert, key } } : {}),
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
  }
}

function parse(output: Buffer): Record<string, unknown> {
  if (output.toString('utf8').trim() === '') throw new Error('printed nothing')
  try {
    const value: unknown = JSON.parse(output.toString('utf8'))
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>
  } catch {
    // Said below, without the text, which may hold a token.
  }
  throw new Error(`printed ${output.length} bytes that are no ExecCredential in JSON`)
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function checkPair(cert: string, key: string): void {
  let fits: boolean
  try {
    fits = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))
  } catch (cause) {
    throw new Error('answered with a certificate or key that cannot be read', { cause })
  }
  if (!fits) throw new Error('answered with a key that does not belong to its certificate')
}

/** A credential that has expired before it came says that this machine's clock is wrong: it then holds until it is refused. */
function expiryOf(timestamp: unknown, nowMs: number): number | undefined {
  if (timestamp === undefined || timestamp === null) return undefined
  const ms = typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN
  if (Number.isNaN(ms)) throw new Error('answered with an expirationTimestamp that is no time')
  return ms > nowMs ? ms : undefined
}
