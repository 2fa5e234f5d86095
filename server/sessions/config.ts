// The configuration of a session: from the request, from a file, checked, one laid over the other.
import { readFile } from 'node:fs/promises'
import { decode } from '../../protocol/codec.ts'
import { type SessionConfig, sessionConfig } from '../../protocol/config.ts'
import { Failure } from '../../protocol/errors.ts'
import { blankComments } from './comments.ts'

/** A configuration file is written by hand: more than this is another file. */
const maxFileBytes = 1 << 20

/** The configuration that is in force: keys of the request win over those of the file, key by key. */
export async function loadConfig(options: {
  config?: SessionConfig | undefined
  configFile?: string | undefined
}): Promise<SessionConfig> {
  const fromFile = options.configFile === undefined ? {} : await readConfigFile(options.configFile)
  return checkConfig(layOver(fromFile, options.config ?? {}) as SessionConfig, options.configFile ?? 'config')
}

async function readConfigFile(file: string): Promise<SessionConfig> {
  const text = await readFile(file, 'utf8').catch(cause => {
    throw new Failure('config-unreadable', { file, reason: cause.code ?? String(cause) }, { cause })
  })
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

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function layOver(under: unknown, over: unknown): unknown {
  if (!isRecord(under) || !isRecord(over)) return over === undefined ? under : over
  const keys = new Set([...Object.keys(under), ...Object.keys(over)])
  return Object.fromEntries([...keys].map(key => [key, layOver(under[key], over[key])]))
}

/** What the codec cannot say: keys that exclude each other, pairs that contradict. */
export function checkConfig(config: SessionConfig, file: string): SessionConfig {
  const faults = [...envFaults(config), ...mappingFaults(config)]
  if (faults.length > 0) throw new Failure('config-invalid', { file, faults: faults.join('; ') })
  return config
}

function envFaults({ feature }: SessionConfig): string[] {
  const env = feature?.env
  const both = typeof env === 'object' && env.include !== undefined && env.exclude !== undefined
  return both ? ['feature.env: include and exclude exclude each other'] : []
}

function mappingFaults({ feature }: SessionConfig): string[] {
  const incoming = feature?.network?.incoming
  const pairs = (typeof incoming === 'object' ? incoming.port_mapping : undefined) ?? []
  const twice = (ports: number[]) => ports.find((port, index) => ports.indexOf(port) !== index)
  const process = twice(pairs.map(([processPort]) => processPort))
  const pod = twice(pairs.map(([, podPort]) => podPort))
  return [
    ...(process === undefined
      ? []
      : [`feature.network.incoming.port_mapping: process port ${process} twice`]),
    ...(pod === undefined ? [] : [`feature.network.incoming.port_mapping: pod port ${pod} twice`]),
  ]
}
