// One connection to a listener of the process: a source port, the announcement of it, and the connect from exactly there.
import { connect, type Socket } from 'node:net'
import type { Endpoint } from '../../protocol/codec.ts'
import type { DeliveryListener } from './incoming.ts'
import { sendReset } from './send-reset.ts'
import { type Route, routesTo, type SourcePorts } from './source.ts'

/** How long the supervisor may take for an announcement, and the listener for a connection (its accept queue can be full). */
export const dialTimeoutMs = 5_000
const maxAttempts = 10

export type DialOptions = {
  listener: DeliveryListener
  caller: Endpoint
  pod: Endpoint
  ports: SourcePorts
  /** When it aborts, nothing is left: no socket, no announcement. */
  signal: AbortSignal
}

/** `refused`: nothing listens there (any more). `reason` is a phrase for the user. */
export type Dialled = { socket: Socket } | { refused: boolean; reason: string }

/** Never throws. The socket has no listeners but its own; its source port is given back when it closes. */
export async function dialListener(options: DialOptions): Promise<Dialled> {
  const routes = routesTo(options.listener.actual)
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const route = routes[attempt % routes.length]
    const sourcePort = options.ports.take()
    if (route === undefined || sourcePort === undefined) break
    const result = await attemptFrom(sourcePort, route, options)
    if (result !== 'port taken') return result
  }
  return { refused: false, reason: 'no source port is free on this machine' }
}

async function attemptFrom(
  sourcePort: number,
  route: Route,
  { listener, caller, pod, ports, signal }: DialOptions,
): Promise<Dialled | 'port taken'> {
  const { port } = listener.actual
  const source = { address: route.from, port: sourcePort }
  const announcing = (async () => listener.announce({ source, caller, pod }))()
  const announced = await within(announcing, signal)
  if (announced === undefined) {
    // An announcement that comes too late would wait for a connection that never comes.
    announcing.then(late => late.retract()).catch(() => {})
    ports.release(sourcePort)
    return { refused: false, reason: `the hooks of port ${port} did not answer` }
  }
  const result = await connectFrom(sourcePort, route, port, signal)
  if ('socket' in result) {
    result.socket.once('close', () => ports.release(sourcePort))
    return result
  }
  announced.retract()
  ports.release(sourcePort)
  return outcomeOf(result.code, port)
}

function outcomeOf(code: string, port: number): Dialled | 'port taken' {
  switch (code) {
    case 'EADDRINUSE':
    case 'EADDRNOTAVAIL':
      return 'port taken'
    case 'ECONNREFUSED':
      return { refused: true, reason: `nothing listens on port ${port}` }
    case 'ETIMEDOUT':
      return {
        refused: false,
        reason: `port ${port} did not take the connection in ${dialTimeoutMs / 1000} s`,
      }
    default:
      return { refused: false, reason: `no connection to port ${port} (${code})` }
  }
}

/** undefined when it failed, took too long or was given up. */
async function within<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  if (signal.aborted) return undefined
  let onAbort = () => {}
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<undefined>(resolve => {
    onAbort = () => resolve(undefined)
    signal.addEventListener('abort', onAbort)
    timer = setTimeout(onAbort, dialTimeoutMs)
  })
  const value = await Promise.race([promise.catch(() => undefined), over])
  clearTimeout(timer)
  signal.removeEventListener('abort', onAbort)
  return value
}

function connectFrom(
  localPort: number,
  { to, from }: Route,
  port: number,
  signal: AbortSignal,
): Promise<{ socket: Socket } | { code: string }> {
  return new Promise(resolve => {
    if (signal.aborted) {
      resolve({ code: 'ECANCELED' })
      return
    }
    const socket = connect({
      host: to,
      port,
      localAddress: from,
      localPort,
      allowHalfOpen: true,
      noDelay: true,
    })
    const done = (result: { socket: Socket } | { code: string }) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      socket.removeAllListeners('connect').removeAllListeners('error')
      // A socket without an error listener would throw; the owner of a connected one adds its own at once.
      if ('code' in result) sendReset(socket.on('error', () => {}))
      resolve(result)
    }
    const onAbort = () => done({ code: 'ECANCELED' })
    const timer = setTimeout(() => done({ code: 'ETIMEDOUT' }), dialTimeoutMs)
    signal.addEventListener('abort', onAbort)
    socket.once('connect', () => {
      socket.on('error', () => {})
      done({ socket })
    })
    socket.once('error', (error: NodeJS.ErrnoException) => done({ code: error.code ?? error.message }))
  })
}
