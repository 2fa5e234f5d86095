// From the options of exec to the configuration of the session; pure, refusals name the option.
import type { SessionConfig } from '../../protocol/config.ts'
import { Failure } from '../../protocol/errors.ts'
import { absolute, placeConfig, type SessionOptions } from './session-options.ts'

/** As commander hands them over. */
export type ExecOptions = SessionOptions & {
  envInclude?: string
  envExclude?: string
  env?: string[]
  portMapping?: string[]
  ports?: string
  connections?: boolean
  output?: 'text' | 'json'
  outputFd?: string
  quiet?: boolean
  verbose?: boolean
}

const help = 'standin help exec'

function usage(reason: string, page = help): Failure {
  return new Failure('usage-wrong', { reason, help: page })
}

/** The params of startSession that the options ask for. Only keys that were given are there, so that the file's stay in force. */
export function sessionParams(options: ExecOptions, folder: string): SessionParams {
  const { envInclude: include, envExclude: exclude } = options
  if (include !== undefined && exclude !== undefined)
    throw usage('--env-include and --env-exclude exclude each other')
  const override = options.env === undefined ? undefined : overrides(options.env)
  const env = present({ include, exclude, override })
  const mapping = options.portMapping?.map(portPair)
  const ports = options.ports === undefined ? undefined : portList(options.ports)
  const incoming = present({ ports, port_mapping: mapping })
  const feature = {
    ...(empty(env) ? {} : { env }),
    ...(empty(incoming) ? {} : { network: { incoming: { mode: 'mirror' as const, ...incoming } } }),
  }
  return attachParams(options, folder, empty(feature) ? {} : { feature })
}

export type SessionParams = { target: string; folder: string; config: SessionConfig; configFile?: string }

/** The same for a command whose features are its own business. */
export function attachParams(
  options: SessionOptions,
  folder: string,
  features: Pick<SessionConfig, 'feature'>,
): SessionParams {
  const { target = '', configFile } = options
  return {
    target,
    folder,
    config: { ...placeConfig(options, folder), ...features },
    ...(configFile ? { configFile: absolute(configFile, folder) } : {}),
  }
}

/** A file descriptor for our lines: any but standard input and output, which are the command's. */
export function outputDescriptor(text: string | undefined): number {
  if (text === undefined) return 2
  if (!/^\d{1,9}$/.test(text) || Number(text) < 2)
    throw usage(`--output-fd takes a number from 2, not "${text}"`)
  return Number(text)
}

/** The value of --ports. */
export function portList(text: string, page = help): number[] {
  return text.split(',').map(part => portOf(part, '--ports', page))
}

function overrides(pairs: readonly string[]): Record<string, string> {
  const entries = pairs.map(pair => {
    const at = pair.indexOf('=')
    if (at < 1) throw usage(`--env takes NAME=VALUE, not "${pair}"`)
    return [pair.slice(0, at), pair.slice(at + 1)] as const
  })
  return Object.fromEntries(entries)
}

function portPair(text: string): [number, number] {
  const parts = text.split(':')
  if (parts.length !== 2) throw usage(`--port-mapping takes PROCESS:POD, not "${text}"`)
  return [portOf(parts[0]!, '--port-mapping'), portOf(parts[1]!, '--port-mapping')]
}

function portOf(text: string, option: string, page = help): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text.trim()) || port < 1 || port > 65535)
    throw usage(`${option} takes ports from 1 to 65535, not "${text}"`, page)
  return port
}

function present<T extends Record<string, unknown>>(
  fields: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}

function empty(fields: object): boolean {
  return Object.keys(fields).length === 0
}
