// One connection to a listener of the process: its turn, a source port, the announcement of it, and the connect from exactly there.
import { connect, type Socket } from 'node:net'
import type { Endpoint } from '../../protocol/codec.ts'
import type { Doorway, Doorways } from './doorways.ts'
import type { DeliveryListener } from './listener.ts'
import { sendReset } from './send-reset.ts'
import { type Route, routesTo, type SourcePorts } from './source.ts'

/** How long the supervisor may take for an announcement, and the listener (whose accept queue can be full) until it takes any connection. */
export const dialTimeoutMs = 5_000
/**
 * A connect over loopback is finished at once, or the listener's queue is full and the kernel has dropped it. The kernel itself would try
 * again after 1 s, 3 s and 7 s, too seldom for a listener that accepts slowly but steadily.
 */
const retryMs = 100
const maxAttempts = 10

export type DialOptions = {
  listener: DeliveryListener
  caller: Endpoint
  pod: Endpoint
  ports: SourcePorts
  doorways: Doorways
  /** When it aborts, nothing is left: no socket, no announcement. */
  signal: AbortSignal
}

/** `refused`: nothing listens there (any more). `reason` is a phrase for the user. */
export type Dialled = { socket: Socket } | { refused: boolean; reason: string }

/** Never throws. The socket is paused and has no listeners but its own; when it closes, its source port is given back and its announcement retracted. */
export async function dialListener(options: DialOptions): Promise<Dialled> {
  const { listener, doorways, signal } = options
  const askedMs = performance.now()
  return doorways.through(listener.actual, async doorway => {
    if (signal.aborted) return outcomeOf('ECANCELED', listener.actual.port)
    const isStuck = () => doorway.stuckMs(askedMs) >= dialTimeoutMs
    if (isStuck()) return outcomeOf('ETIMEDOUT', listener.actual.port)
    return dialInTurn(options, doorway, isStuck)
  })
}

async function dialInTurn(options: DialOptions, doorway: Doorway, isStuck: () => boolean): Promise<Dialled> {
  const routes = routesTo(options.listener.actual)
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const route = routes[attempt % routes.length]
    const sourcePort = options.ports.take()
    if (route === undefined || sourcePort === undefined) break
    const result = await attemptFrom(sourcePort, route, options, isStuck)
    if (result === 'port taken') continue
    if ('socket' in result) doorway.entered()
    return result
  }
  return { refused: false, reason: 'no source port is free on this machine' }
}

async function attemptFrom(
  sourcePort: number,
  route: Route,
  { listener, caller, pod, ports, signal }: DialOptions,
  isStuck: () => boolean,
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
  const over = () => {
    announced.retract()
    ports.release(sourcePort)
  }
  let result = await connectFrom(sourcePort, route, port, signal)
  while ('code' in result && result.code === 'ETIMEDOUT' && !isStuck())
    result = await connectFrom(sourcePort, route, port, signal)
  if ('socket' in result) {
    result.socket.once('close', over)
    const to = { address: route.to, port }
    if ((await within(announced.reached(to), signal)) === true) return result
    sendReset(result.socket)
    return signal.aborted ? outcomeOf('ECANCELED', port) : outcomeOf('another program', port)
  }
  over()
  if (result.code === 'EADDRINUSE' || result.code === 'EADDRNOTAVAIL') return 'port taken'
  return outcomeOf(result.code, port)
}

function outcomeOf(code: string, port: number): Dialled {
  switch (code) {
    case 'ECONNREFUSED':
      return { refused: true, reason: `nothing listens on port ${port}` }
    case 'another program':
      return { refused: true, reason: `a program outside of the session has port ${port}, or shares it` }
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

/** ETIMEDOUT when the listener's queue is full: nothing is left of that connect then, and the port is free for the next. */
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
    const settle = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      // A socket without an error listener would throw; the owner of a connected one adds its own at once.
      socket
        .removeAllListeners('connect')
        .removeAllListeners('error')
        .on('error', () => {})
    }
    const onAbort = () => {
      settle()
      sendReset(socket)
      resolve({ code: 'ECANCELED' })
    }
    const giveUp = () => {
      if (!socket.connecting) return
      settle()
      socket.once('close', () => resolve({ code: 'ETIMEDOUT' }))
      socket.destroy()
    }
    // After a late timer the event loop looks at its sockets once more before it comes to immediates.
    const timer = setTimeout(() => setImmediate(giveUp), retryMs)
    signal.addEventListener('abort', onAbort)
    socket.once('connect', () => {
      settle()
      // Nothing is read, so that nothing is missed, until whoever gets the socket resumes it.
      socket.pause()
      resolve({ socket })
    })
    socket.once('error', (error: NodeJS.ErrnoException) => {
      settle()
      sendReset(socket)
      resolve({ code: error.code ?? error.message })
    })
  })
}
