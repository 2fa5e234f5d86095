// Reads one kubeconfig file: YAML or JSON to checked entries, with paths made absolute.
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import * as t from 'io-ts'
import { parseAllDocuments } from 'yaml'
import { decode } from '../../../protocol/codec.ts'
import { Failure } from '../../../protocol/errors.ts'

/** Null is what is not set. The message names no value, which may be a secret. */
function field<A>(name: string, is: (value: unknown) => boolean, inner?: t.Mixed): t.Type<A | undefined> {
  const validate: t.Validate<unknown, A | undefined> = (value, context) => {
    if (value === null || value === undefined) return t.success(undefined)
    if (!is(value)) return t.failure(value, context, `expected ${name}`)
    return inner === undefined ? t.success(value as A) : inner.validate(value, context)
  }
  return new t.Type(
    name,
    (value): value is A | undefined => value === undefined || is(value),
    validate,
    t.identity,
  )
}

const text = field<string>('a text', value => typeof value === 'string')
const flag = field<boolean>('true or false', value => typeof value === 'boolean')
function list<A>(item: t.Type<A | undefined>) {
  const items = t.array(item)
  const validate: t.Validate<unknown, A[]> = (value, context) => {
    const result = items.validate(value, context)
    return result._tag === 'Left' ? result : t.success(result.right.filter(entry => entry !== undefined))
  }
  const is = (value: unknown): value is A[] => Array.isArray(value)
  return field<A[]>('a list', is, new t.Type<A[]>('a list', is, validate, t.identity))
}

/** A kubeconfig may hold fields that we do not know: other tools keep theirs in it. */
function mapping<P extends t.Props>(fields: P) {
  const isMapping = (value: unknown) => typeof value === 'object' && !Array.isArray(value)
  return field<t.TypeOf<t.PartialC<P>>>('a mapping', isMapping, t.partial(fields))
}

const clusterCodec = mapping({
  server: text,
  'certificate-authority': text,
  'certificate-authority-data': text,
  'insecure-skip-tls-verify': flag,
  'tls-server-name': text,
  'proxy-url': text,
  'disable-compression': flag,
  extensions: list(mapping({ name: text, extension: t.unknown })),
})

const execCodec = mapping({
  command: text,
  apiVersion: text,
  args: list(text),
  env: list(mapping({ name: text, value: text })),
  installHint: text,
  provideClusterInfo: flag,
  interactiveMode: text,
})

const userCodec = mapping({
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
  'as-groups': list(text),
  'as-user-extra': field<Record<string, string[]>>('a mapping of lists of texts', value =>
    t.record(t.string, t.array(t.string)).is(value),
  ),
  exec: execCodec,
  'auth-provider': mapping({ name: text }),
})

const contextCodec = mapping({ cluster: text, user: text, namespace: text })

const fileCodec = mapping({
  apiVersion: text,
  kind: text,
  'current-context': text,
  clusters: list(mapping({ name: text, cluster: clusterCodec })),
  users: list(mapping({ name: text, user: userCodec })),
  contexts: list(mapping({ name: text, context: contextCodec })),
})

/** As the file writes them; `file` is where an entry came from, which its errors name. */
export type ClusterEntry = NonNullable<t.TypeOf<typeof clusterCodec>> & { file: string }
export type UserEntry = NonNullable<t.TypeOf<typeof userCodec>> & { file: string }
export type ContextEntry = NonNullable<t.TypeOf<typeof contextCodec>> & { file: string }
export type ExecEntry = NonNullable<t.TypeOf<typeof execCodec>>

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
  const value = decoded.value ?? {}
  if (value.kind && value.kind !== 'Config') throw invalid(file, `its kind is "${value.kind}", not "Config"`)
  if (value.apiVersion && value.apiVersion !== 'v1')
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
      const { exec } = entry
      return exec?.command?.includes('/')
        ? { ...entry, exec: { ...exec, command: resolve(folder, exec.command) } }
        : entry
    }),
    contexts: named(value.contexts, 'contexts', file, ({ context }) => ({ ...context, file })),
  }
}

function invalid(file: string, reason: string): Failure {
  return new Failure('kubeconfig-invalid', { file, reason })
}

/** YAML 1.1 with the last of doubled keys, and the first of several documents, because that is what kubectl's parser takes. */
function parse(source: string, file: string): unknown {
  const [document] = parseAllDocuments(source, { version: '1.1', uniqueKeys: false, logLevel: 'error' })
  if (document === undefined) return undefined
  const [error] = document.errors
  // Without the error itself, which shows the lines around it, and a token may be in them.
  if (error !== undefined)
    throw invalid(file, `line ${error.linePos?.[0].line ?? 1}: ${firstLine(error.message)}`)
  const value: unknown = document.toJS()
  if (value !== null && (typeof value !== 'object' || Array.isArray(value)))
    throw invalid(file, 'it is not a mapping of apiVersion, clusters, users and contexts')
  return value
}

function firstLine(message: string): string {
  // What comes after a colon is the text that it stumbled over.
  return (message.split('\n')[0] ?? message).replace(/( at line \d+|: ).*$/, '').replace(/[.:]$/, '')
}

function named<E extends { name?: string | undefined }, V>(
  entries: readonly E[] | undefined,
  list: string,
  file: string,
  toValue: (entry: E) => V,
): Map<string, V> {
  const map = new Map<string, V>()
  for (const entry of entries ?? []) {
    const name = entry.name ?? ''
    if (map.has(name)) throw invalid(file, `${list} has "${name}" twice`)
    map.set(name, toValue(entry))
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
