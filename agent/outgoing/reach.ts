// Connects to what a forward names in the pod: a host by the pod's own names, or a Unix socket by the pod's own paths.
import { isIP, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { DialFar } from '../../protocol/agent/control.ts'
import type { PodFiles } from './pod-files.ts'
import { connectFromPod } from './pod-socket.ts'
import { resolveInPod } from './resolve.ts'

export type ReachOptions = { files: PodFiles; signal: AbortSignal }

/** An address that does not answer by then is given up, and the next one of the name tried. */
const addressMs = 20_000
/** How often, and how long if nobody says, a Unix socket whose queue is full is tried, for which a blocking connect would wait. */
const queueFull = { everyMs: 50, forMs: 10_000 } as const

/** Without listeners; what the far end says waits for them. Throws an error whose `code` is the errno; when the signal aborts nothing is left of it. */
export function reach(to: DialFar, options: ReachOptions): Promise<Duplex> {
  return to.dial === 'host' ? reachHost(to, options) : reachUnix(to, options)
}

async function reachHost(
  { host, port }: Extract<DialFar, { dial: 'host' }>,
  options: ReachOptions,
): Promise<Socket> {
  let first: unknown
  const addresses = isIP(host) === 0 ? resolveInPod(host, options) : [host]
  for await (const address of addresses) {
    try {
      return await connected({ host: address, port }, options.signal)
    } catch (error) {
      first ??= error
      if (options.signal.aborted) break
    }
  }
  throw first
}

async function reachUnix(
  { path, withinMs = queueFull.forMs, seqpacket = false }: Extract<DialFar, { dial: 'unix' }>,
  { files, signal }: ReachOptions,
): Promise<Duplex> {
  const until = performance.now() + withinMs
  for (;;) {
    try {
      return files.connectUnix(path, { seqpacket })
    } catch (error) {
      const isFull = (error as NodeJS.ErrnoException).code === 'EAGAIN'
      if (!isFull || signal.aborted || performance.now() >= until) throw error
      await new Promise(resolve => setTimeout(resolve, queueFull.everyMs))
    }
  }
}

function connected(to: { host: string; port: number }, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(errnoError('ECANCELED'))
    const socket = connectFromPod(to)
    const giveUp = (code: string) => socket.destroy(errnoError(code))
    const abandon = () => giveUp('ECANCELED')
    const timer = setTimeout(() => giveUp('ETIMEDOUT'), addressMs)
    const settle = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', abandon)
      socket.removeAllListeners('connect').removeAllListeners('error')
    }
    signal.addEventListener('abort', abandon, { once: true })
    socket.once('error', error => {
      settle()
      reject(error)
    })
    socket.once('connect', () => {
      settle()
      resolve(socket)
    })
  })
}

function errnoError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`Cannot connect: ${code}`), { code })
}
