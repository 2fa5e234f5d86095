// The command line of `standin serve`.
import { parseArgs } from 'node:util'
import { Failure } from '../../protocol/errors.ts'
import { suggestion } from '../../protocol/suggest.ts'
import { type LogLevel, logLevels } from '../log.ts'
import type { TraceValue } from './state.ts'

export type Transport =
  | { kind: 'stdio' }
  | { kind: 'dial'; to: { path: string } | { host: string; port: number } }
  | { kind: 'listen'; at: { path: string } | { host: string; port: number } }

export type ServeOptions = {
  transport: Transport
  logLevel: LogLevel
  logFile?: string
  trace: TraceValue
  clientProcessId?: number
}

export const serveHelp = `Usage: standin serve [--stdio | --pipe=NAME | --socket=PORT | --listen=unix:PATH|tcp:PORT] [OPTION...]

Speaks JSON-RPC 2.0 with one client at a time; schemas/rpc.md is the reference.

  --stdio                 over standard input and output (default)
  --pipe=NAME             dials the Unix socket NAME
  --socket=PORT           dials 127.0.0.1:PORT
  --listen=unix:PATH      accepts on a Unix socket of mode 0600
  --listen=tcp:PORT       accepts on 127.0.0.1:PORT, 0 for any
  --log-file=FILE         writes the log there instead of standard error
  --log-level=LEVEL       ${logLevels.join(', ')}; default warning
  --trace[=messages|verbose]  shows the messages themselves in the client's log
  --clientProcessId=PID   ends when that process is gone
  -h, --help              shows this

Except over --stdio, the client shows the secret of the environment variable STANDIN_TOKEN as "token" of initialize;
--listen makes one if it is not set, and prints it to standard error: {"listening":"tcp:40123","token":"..."}
`

const known = {
  stdio: { type: 'boolean' },
  pipe: { type: 'string' },
  socket: { type: 'string' },
  listen: { type: 'string' },
  'log-file': { type: 'string' },
  'log-level': { type: 'string' },
  trace: { type: 'string' },
  clientProcessId: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

function wrong(reason: string): Failure {
  return new Failure('usage-wrong', { reason, help: 'standin serve --help' })
}

/** Undefined when help was asked for. Throws `usage-wrong`. */
export function readOptions(argv: readonly string[]): ServeOptions | undefined {
  const values = parse(argv.map(arg => (arg === '--trace' ? '--trace=messages' : arg)))
  if (values.help) return undefined
  const level = values['log-level'] ?? 'warning'
  if (!logLevels.includes(level as LogLevel))
    throw wrong(`--log-level is one of ${logLevels.join(', ')}, not "${level}"`)
  const trace = values.trace ?? 'off'
  if (trace !== 'off' && trace !== 'messages' && trace !== 'verbose') {
    throw wrong(`--trace is off, messages or verbose, not "${trace}"`)
  }
  const logFile = values['log-file']
  const client = values.clientProcessId
  return {
    transport: transportOf(values),
    logLevel: level as LogLevel,
    trace,
    ...(logFile === undefined ? {} : { logFile }),
    ...(client === undefined
      ? {}
      : { clientProcessId: numberIn('--clientProcessId', client, 1, 2 ** 31 - 1) }),
  }
}

function parse(args: string[]) {
  const stray = args.find(arg => /^--?[^=]/.test(arg) && !isKnown(arg))
  const names = Object.keys(known).map(name => `--${name}`)
  if (stray !== undefined) throw wrong(`unknown option "${stray}"${suggestion(stray.split('=')[0]!, names)}`)
  try {
    return parseArgs({ args, options: known, strict: true, allowPositionals: false }).values
  } catch (cause) {
    throw wrong(cause instanceof Error ? cause.message.split('\n')[0]!.replace(/\.$/, '') : String(cause))
  }
}

function isKnown(arg: string): boolean {
  return arg === '-h' || Object.hasOwn(known, arg.replace(/^--/, '').split('=')[0]!)
}

function transportOf(values: ReturnType<typeof parse>): Transport {
  const { stdio, pipe, socket, listen } = values
  const given = [stdio ? '--stdio' : undefined, pipe, socket, listen].filter(value => value !== undefined)
  if (given.length > 1) throw wrong('--stdio, --pipe, --socket and --listen exclude each other')
  if (pipe !== undefined) return { kind: 'dial', to: { path: pipe } }
  if (socket !== undefined) return { kind: 'dial', to: loopback(numberIn('--socket', socket, 1, 65_535)) }
  if (listen === undefined) return { kind: 'stdio' }
  const [, scheme, rest = ''] = /^(unix|tcp):(.+)$/.exec(listen) ?? []
  if (scheme === 'unix') return { kind: 'listen', at: { path: rest } }
  if (scheme === 'tcp') return { kind: 'listen', at: loopback(numberIn('--listen=tcp:', rest, 0, 65_535)) }
  throw wrong(`--listen is unix:PATH or tcp:PORT, not "${listen}"`)
}

function loopback(port: number) {
  return { host: '127.0.0.1', port }
}

function numberIn(name: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= least && value <= most) return value
  throw wrong(`${name} is a number from ${least} to ${most}, not "${text}"`)
}
