// The server program: `standin serve`.
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { asFailure, Failure } from '../protocol/errors.ts'
import { type Log, openLog } from './log.ts'
import { listenForClients } from './rpc/listen.ts'
import { readOptions, type ServeOptions, serveHelp } from './rpc/options.ts'
import { watchProcess } from './rpc/parent.ts'
import { type ServedClient, serveClient } from './rpc/serve-client.ts'
import { claimStandardStreams } from './rpc/stdio.ts'

const exitUsage = 2
/** A client of a socket must have shown the token by then, so that a stranger cannot keep others out. */
const authenticateMs = 10_000
/** After everything has ended, what still keeps the process alive is a mistake, and must not keep it for ever. */
const lastPatienceMs = 20_000

/** Serves until it is over, then ends the process. */
export async function run(argv: readonly string[]): Promise<void> {
  const streams = claimStandardStreams()
  try {
    const options = readOptions(argv[0] === 'serve' ? argv.slice(1) : argv)
    if (options === undefined) {
      streams.output.write(serveHelp)
      return
    }
    process.exitCode = await serve(options, streams)
  } catch (thrown) {
    const { kind, message, data } = asFailure(thrown, 'standin serve')
    process.stderr.write(`standin: ${message}\nstandin: fix: ${data.fix}\n`)
    process.exitCode = kind === 'usage-wrong' ? exitUsage : 1
  }
  process.exit()
}

type Streams = ReturnType<typeof claimStandardStreams>

async function serve(options: ServeOptions, streams: Streams): Promise<number> {
  const log = openOptionsLog(options)
  surviveMistakes(log)
  const { transport, trace } = options
  const token = process.env.STANDIN_TOKEN
  if (transport.kind === 'listen') return serveListening(options, token, log)
  if (transport.kind === 'stdio') return untilEnded(options, serveClient({ ...streams, log, trace }))
  if (token === undefined || token === '') {
    const reason = 'the environment variable STANDIN_TOKEN is not set, and a socket needs a secret'
    throw new Failure('usage-wrong', { reason, help: 'standin serve --help' })
  }
  const socket = await dial(transport.to)
  const code = await untilEnded(
    options,
    serveClient({ input: socket, output: socket, log, trace, token, authenticateMs }),
  )
  socket.destroy()
  return code
}

async function serveListening(options: ServeOptions, given: string | undefined, log: Log): Promise<number> {
  const { transport, trace } = options
  if (transport.kind !== 'listen') return 1
  const token = given || randomBytes(24).toString('hex')
  const listening = await listenForClients(transport.at, socket =>
    serveClient({ input: socket, output: socket, log, trace, token, authenticateMs }),
  ).catch(cause => {
    const reason = `listening there failed with ${cause.code ?? cause}`
    throw new Failure('usage-wrong', { reason, help: 'standin serve --help' }, { cause })
  })
  const line = { listening: listening.address, ...(given ? {} : { token }) }
  process.stderr.write(`${JSON.stringify(line)}\n`)
  await new Promise<void>(resolve => onEndWish(options, resolve))
  await listening.close()
  return 0
}

function untilEnded(options: ServeOptions, served: ServedClient): Promise<number> {
  onEndWish(options, () => served.end())
  return served.done
}

/** Signals and the editor's death are a wish to end. A second signal does not wait for what is being ended. */
function onEndWish(options: ServeOptions, end: () => void): void {
  let asked = false
  const wish = () => {
    if (asked) process.exit(1)
    asked = true
    setTimeout(() => process.exit(1), lastPatienceMs).unref()
    end()
  }
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, wish)
  if (options.clientProcessId !== undefined) watchProcess(options.clientProcessId, wish)
}

function openOptionsLog({ logLevel, logFile }: ServeOptions): Log {
  try {
    return openLog({ level: logLevel, file: logFile })
  } catch (cause) {
    const reason = `the log file "${logFile}" cannot be written (${(cause as NodeJS.ErrnoException).code})`
    throw new Failure('usage-wrong', { reason, help: 'standin serve --help' }, { cause })
  }
}

/** A mistake in one place must not end the sessions of all others. */
function surviveMistakes(log: Log): void {
  const note = (what: string) => (thrown: unknown) =>
    log.write('error', `${what}: ${thrown instanceof Error ? thrown.stack : String(thrown)}`)
  process.on('uncaughtException', note('uncaught exception'))
  process.on('unhandledRejection', note('unhandled rejection'))
}

function dial(to: { path: string } | { host: string; port: number }): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(to)
    socket.once('error', cause => {
      const reason = `the client cannot be dialled (${(cause as NodeJS.ErrnoException).code})`
      reject(new Failure('usage-wrong', { reason, help: 'standin serve --help' }, { cause }))
    })
    socket.once('connect', () => {
      socket.removeAllListeners('error')
      socket.on('error', () => socket.destroy())
      resolve(socket)
    })
  })
}

void run(process.argv.slice(2))
