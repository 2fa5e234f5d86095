// Serves one client from its first byte until everything that it started has ended.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Readable, Writable } from 'node:stream'
import { Failure } from '../../protocol/errors.ts'
import { logMessage } from '../../protocol/rpc/lifecycle.ts'
import { settledWithin } from '../deadline.ts'
import type { Log } from '../log.ts'
import { Hooks } from '../processes/hooks.ts'
import { unavailable } from '../processes/probe.ts'
import { Sessions } from '../sessions/sessions.ts'
import { TrafficViews } from '../sessions/traffic-views.ts'
import { createClient } from './client.ts'
import { Connection, type EndReason } from './connection.ts'
import { handlers } from './handlers.ts'
import { exitCode } from './lifecycle.ts'
import { watchProcess } from './parent.ts'
import type { ServerState, TraceValue } from './state.ts'
import { traceLine } from './trace.ts'
import { droppableBytes, MessageWriter } from './writer.ts'

/** `initialize` waits so long to know whether the hooks work here. */
const probeWaitMs = 2_000
/** Everything must have ended by then; what has not is left to the guard and to the agent's own end. */
const shutDownMs = 15_000

export type ClientOptions = {
  input: Readable
  output: Writable
  log: Log
  trace: TraceValue
  /** The secret to show in `initialize`; undefined for stdio. */
  token?: string | undefined
  /** Whoever has not shown the token by then is disconnected. */
  authenticateMs?: number | undefined
}

export type ServedClient = {
  /** Resolves with the exit code when all is over. */
  readonly done: Promise<number>
  end(): void
}

export function serveClient(options: ClientOptions): ServedClient {
  const { log, input, output } = options
  let trace = options.trace
  const tell = (direction: 'received' | 'sent', message: object) => {
    const line = traceLine(trace, direction, message)
    if (line === undefined) return
    log.write('debug', line)
    if (writer.pendingBytes < droppableBytes) client.notify(logMessage, { type: 4, message: line })
  }
  const writer = new MessageWriter(
    output,
    () => connection.end('broken'),
    message => tell('sent', message),
  )
  const client = createClient(writer, log)
  const hooks = new Hooks(text => log.write('warning', text))
  void hooks.support()
  const sessions = new Sessions({ client, log, hooks })
  let closing: Promise<void> | undefined
  const timers: (() => void)[] = []

  const close = (reason: Failure): Promise<void> => {
    closing ??= (async () => {
      connection.dispatcher.abortAll(reason)
      await settledWithin(
        sessions.close(reason.message).then(() => hooks.close()),
        shutDownMs,
      )
    })()
    return closing
  }
  const connection = new Connection<ServerState>({
    input,
    writer,
    handlers,
    log: (level, text) => log.write(level, text),
    onMessage: message => tell('received', message),
    server: () => ({
      client,
      log,
      sessions,
      views: new TrafficViews(client),
      hookSupport: () => hookSupportSoon(hooks),
      checkToken(token) {
        if (isToken(options.token, token)) return
        setImmediate(() => connection.end('refused'))
        throw new Failure('token-wrong')
      },
      watchClient: processId => void timers.push(watchProcess(processId, () => connection.end('eof'))),
      setTrace(value) {
        trace = value
      },
      cancel: id => connection.dispatcher.cancel(id),
      async shutDown() {
        connection.dispatcher.phase = 'shutdown'
        await close(new Failure('request-invalid', { reason: 'the server shuts down' }))
      },
      exit: () => connection.end('exit'),
    }),
  })
  if (options.authenticateMs !== undefined) {
    const timer = setTimeout(() => {
      if (connection.dispatcher.phase === 'fresh') connection.end('refused')
    }, options.authenticateMs)
    timers.push(() => clearTimeout(timer))
  }
  const finish = async (reason: EndReason) => {
    for (const stop of timers) stop()
    log.write('debug', `the connection ended: ${reason}`)
    await connection.flush()
    await close(new Failure('request-invalid', { reason: 'the client is gone' }))
    await connection.flush()
    return exitCode(connection.dispatcher.phase)
  }
  return { done: connection.ended.then(finish), end: () => connection.end('server') }
}

async function hookSupportSoon(hooks: Hooks) {
  if (await settledWithin(hooks.support(), probeWaitMs)) return hooks.support()
  return unavailable(`whether the hooks work was not known after ${probeWaitMs} ms`, 'Ask again')
}

/** In constant time, whatever was sent. */
export function isToken(expected: string | undefined, given: string | undefined): boolean {
  if (expected === undefined) return true
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(expected), digest(given ?? ''))
}
