// The configuration of a session: from the request, from a file, one laid over the other, checked.
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { decode } from '../../protocol/codec.ts'
import { type SessionConfig, sessionConfig } from '../../protocol/config.ts'
import { Failure } from '../../protocol/errors.ts'
import { isTargetless } from '../../protocol/targetless.ts'
import { targetlessConfig } from '../targets/targetless.ts'
import { blankComments } from './comments.ts'
import { configFaults } from './config-faults.ts'

/** A configuration file is written by hand: more than this is another file. */
const maxFileBytes = 1 << 20

/** Where the file is when nobody names one, seen from the client's working folder (not its parents), as mirrord has `.mirrord/mirrord.json`. */
const defaultFile = join('.standin', 'standin.json')

export type ConfigSources = {
  /** Of the request; "" or nothing leaves it to the configuration. */
  target?: string | undefined
  config?: SessionConfig | undefined
  configFile?: string | undefined
  /** The client's working folder. */
  folder?: string | undefined
}

export type LoadedConfig = SessionConfig & { target?: { path?: string; namespace?: string } }

/**
 * The configuration that is in force: keys of the request win over those of the file, key by key. The target is written out as an object,
 * whose path is the request's if it names one. Fails with `config-unreadable` or `config-invalid`, which name the file.
 */
export async function loadConfig(sources: ConfigSources): Promise<LoadedConfig> {
  const { configFile, folder } = sources
  const read = await fileOf(configFile, folder)
  const own = sources.target ? { target: { path: sources.target } } : {}
  const layers = [read?.config ?? {}, sources.config ?? {}, own].map(withTargetObject)
  const merged = layers.reduce<unknown>(layOver, {}) as LoadedConfig
  const config = checkConfig(withPath(merged, folder), read?.file ?? 'config')
  return isTargetless(config.target?.path) ? targetlessConfig(config) : config
}

export type ClusterQuestion = Pick<ConfigSources, 'target' | 'configFile' | 'folder'> & {
  kubeconfig?: string | undefined
  context?: string | undefined
  namespace?: string | undefined
}

/**
 * A request that asks a cluster, with what it left open taken from the configuration file, and how agents are to be made by it. Fails as
 * `loadConfig`.
 */
export async function withConfig<Q extends ClusterQuestion>(
  question: Q,
): Promise<Q & Pick<SessionConfig, 'agent'>> {
  const { target, kubeconfig, context, namespace, configFile, folder } = question
  const config = await loadConfig({
    target,
    configFile,
    folder,
    config: { kubeconfig, kube_context: context, target: { namespace } },
  })
  return {
    ...question,
    kubeconfig: config.kubeconfig,
    context: config.kube_context,
    namespace: config.target?.namespace,
    ...(config.agent === undefined ? {} : { agent: config.agent }),
  }
}

/** The target that a session was asked for; fails with `target-missing` when neither the request nor the configuration names one. */
export function targetOf(config: LoadedConfig): string {
  const path = config.target?.path
  if (path === undefined) throw new Failure('target-missing', {})
  return path
}

async function fileOf(
  configFile: string | undefined,
  folder: string | undefined,
): Promise<{ file: string; config: SessionConfig } | undefined> {
  const file = configFile ?? (folder === undefined ? undefined : join(folder, defaultFile))
  if (file === undefined) return undefined
  const text = await readFile(file, 'utf8').catch(cause => {
    if (configFile === undefined && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR')) return undefined
    throw new Failure('config-unreadable', { file, reason: cause.code ?? String(cause) }, { cause })
  })
  return text === undefined ? undefined : { file, config: parseConfig(file, text) }
}

function parseConfig(file: string, text: string): SessionConfig {
  if (text.length > maxFileBytes) {
    throw new Failure('config-unreadable', { file, reason: `it is larger than ${maxFileBytes} bytes` })
  }
  const checked = decode(sessionConfig, parse(file, text))
  if (!checked.ok) throw new Failure('config-invalid', { file, faults: checked.faults.join('; ') })
  return checked.value
}

function parse(file: string, text: string): unknown {
  try {
    return JSON.parse(blankComments(text.replace(/^\uFEFF/, '')))
  } catch (cause) {
    throw new Failure('config-unreadable', { file, reason: 'malformed JSON' }, { cause })
  }
}

/** A target that is written as a string is its path, so that a request that names only the namespace keeps the file's path. */
function withTargetObject(config: SessionConfig): SessionConfig {
  return typeof config.target === 'string' ? { ...config, target: { path: config.target } } : config
}

/** A path as a shell would read it in the client's folder. */
function withPath(config: LoadedConfig, folder: string | undefined): LoadedConfig {
  const { kubeconfig } = config
  if (kubeconfig === undefined || kubeconfig === '') return config
  const path = kubeconfig.replace(/^~(?=\/|$)/, homedir())
  return { ...config, kubeconfig: folder === undefined ? path : resolve(folder, path) }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function layOver(under: unknown, over: unknown): unknown {
  if (!isRecord(under) || !isRecord(over)) return over === undefined ? under : over
  const keys = new Set([...Object.keys(under), ...Object.keys(over)])
  return Object.fromEntries([...keys].map(key => [key, layOver(under[key], over[key])]))
}

/** Refuses what the codec cannot: keys that exclude each other, pairs that contradict, names that no cluster takes. */
export function checkConfig<C extends SessionConfig>(config: C, file: string): C {
  const faults = configFaults(config)
  if (faults.length > 0) throw new Failure('config-invalid', { file, faults: faults.join('; ') })
  return config
}
