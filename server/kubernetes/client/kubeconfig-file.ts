// Reads one kubeconfig file: YAML or JSON to checked entries, with paths made absolute.
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import * as t from 'io-ts'
import { parseAllDocuments } from 'yaml'
import { decode } from '../../../protocol/codec.ts'
import { Failure } from '../../../protocol/errors.ts'

/** Kubernetes writes and reads null for what is not set. */
const maybe = <C extends t.Mixed>(codec: C) => t.union([codec, t.null, t.undefined])
const text = maybe(t.string)
const texts = maybe(t.array(t.string))

/** Unlike our own messages, a kubeconfig may hold fields that we do not know: other tools keep theirs in it. */
const clusterCodec = t.partial({
  server: text,
  'certificate-authority': text,
  'certificate-authority-data': text,
  'insecure-skip-tls-verify': maybe(t.boolean),
  'tls-server-name': text,
  'proxy-url': text,
  'disable-compression': maybe(t.boolean),
  extensions: maybe(t.array(t.type({ name: t.string, extension: t.unknown }))),
})

const execCodec = t.intersection([
  t.type({ command: t.string, apiVersion: t.string }),
  t.partial({
    args: texts,
    env: maybe(t.array(t.type({ name: t.string, value: t.string }))),
    installHint: text,
    provideClusterInfo: maybe(t.boolean),
    interactiveMode: text,
  }),
])

const userCodec = t.partial({
  'client-certificate': text,
  'client-certificate-data': text,
  'client-key': text,
  'client-key-data': text,
  token: text,
  tokenFile: text,
  username: text,
  password: text,
  as: text,
  'as-uid': text,
  'as-groups': texts,
  'as-user-extra': maybe(t.record(t.string, t.array(t.string))),
  exec: maybe(execCodec),
  'auth-provider': maybe(t.type({ name: t.string })),
})

const contextCodec = t.partial({ cluster: text, user: text, namespace: text })

const fileCodec = t.partial({
  apiVersion: text,
  kind: text,
  'current-context': text,
  clusters: maybe(
    t.array(t.intersection([t.type({ name: t.string }), t.partial({ cluster: maybe(clusterCodec) })])),
  ),
  users: maybe(t.array(t.intersection([t.type({ name: t.string }), t.partial({ user: maybe(userCodec) })]))),
  contexts: maybe(
    t.array(t.intersection([t.type({ name: t.string }), t.partial({ context: maybe(contextCodec) })])),
  ),
})

/** As the file writes them; `file` is where an entry came from, which its errors name. */
export type ClusterEntry = t.TypeOf<typeof clusterCodec> & { file: string }
export type UserEntry = t.TypeOf<typeof userCodec> & { file: string }
export type ContextEntry = t.TypeOf<typeof contextCodec> & { file: string }
export type ExecEntry = t.TypeOf<typeof execCodec>

/** Entries by name, in the order of the files. */
export type Kubeconfig = {
  currentContext: string | undefined
  clusters: Map<string, ClusterEntry>
  users: Map<string, UserEntry>
  contexts: Map<string, ContextEntry>
}

/** Undefined when there is no such file; `kubeconfig-invalid` when it cannot be read or is none. */
export function readKubeconfigFile(file: string): Kubeconfig | undefined {
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    const reason = code === 'EISDIR' ? 'it is a folder' : `it cannot be read (${code})`
    throw new Failure('kubeconfig-invalid', { file, reason }, { cause })
  }
  return parseKubeconfig(bytes.toString('utf8'), file)
}

/** What a kubeconfig's text says; relative paths in it are relative to the folder of `file`. */
export function parseKubeconfig(source: string, file: string): Kubeconfig {
  const decoded = decode(fileCodec, parse(source.replace(/^\uFEFF/, ''), file) ?? {})
  if (!decoded.ok) throw invalid(file, decoded.faults.slice(0, 3).join('; '))
  const { value } = decoded
  if (value.kind != null && value.kind !== '' && value.kind !== 'Config')
    throw invalid(file, `its kind is "${value.kind}", not "Config"`)
  if (value.apiVersion != null && value.apiVersion !== '' && value.apiVersion !== 'v1')
    throw invalid(file, `its apiVersion is "${value.apiVersion}", not "v1"`)
  const folder = dirname(resolve(file))
  return {
    currentContext: value['current-context'] || undefined,
    clusters: named(value.clusters, 'clusters', file, ({ cluster }) =>
      absolutePaths({ ...cluster, file }, folder, ['certificate-authority']),
    ),
    users: named(value.users, 'users', file, ({ user }) => {
      const entry = absolutePaths({ ...user, file }, folder, [
        'client-certificate',
        'client-key',
        'tokenFile',
      ])
      // A bare command is looked for in PATH; only one with a slash is a path.
      return entry.exec?.command.includes('/')
        ? { ...entry, exec: { ...entry.exec, command: resolve(folder, entry.exec.command) } }
        : entry
    }),
    contexts: named(value.contexts, 'contexts', file, ({ context }) => ({ ...context, file })),
  }
}

function invalid(file: string, reason: string, cause?: unknown): Failure {
  return new Failure('kubeconfig-invalid', { file, reason }, cause === undefined ? {} : { cause })
}

/** YAML 1.1 with the last of doubled keys, and the first of several documents, because that is what kubectl's parser takes. */
function parse(source: string, file: string): unknown {
  const [document] = parseAllDocuments(source, { version: '1.1', uniqueKeys: false, logLevel: 'error' })
  if (document === undefined) return undefined
  const [error] = document.errors
  if (error !== undefined)
    throw invalid(file, `line ${error.linePos?.[0].line ?? 1}: ${firstLine(error.message)}`, error)
  const value: unknown = document.toJS()
  if (value !== null && (typeof value !== 'object' || Array.isArray(value)))
    throw invalid(file, 'it is not a mapping of apiVersion, clusters, users and contexts')
  return value
}

function firstLine(message: string): string {
  return (message.split('\n')[0] ?? message).replace(/ at line \d+.*$/, '').replace(/[.:]$/, '')
}

function named<E extends { name: string }, V>(
  entries: readonly E[] | null | undefined,
  list: string,
  file: string,
  toValue: (entry: E) => V,
): Map<string, V> {
  const map = new Map<string, V>()
  for (const entry of entries ?? []) {
    if (map.has(entry.name)) throw invalid(file, `${list} has "${entry.name}" twice`)
    map.set(entry.name, toValue(entry))
  }
  return map
}

function absolutePaths<E extends object>(entry: E, folder: string, fields: readonly (keyof E)[]): E {
  const paths = fields.flatMap(field => {
    const path = entry[field]
    return typeof path === 'string' && path !== '' ? [[field, resolve(folder, path)] as const] : []
  })
  return { ...entry, ...Object.fromEntries(paths) }
}
