// Runs a command in a container of a pod: Kubernetes' exec.
import type { Readable, Writable } from 'node:stream'
import { Failure } from '../../../protocol/errors.ts'
import { type Api, apiPath } from '../client/api.ts'
import { ChannelSocket } from './channel-socket.ts'
import { ExecChannels } from './exec-channels.ts'
import type { Exit } from './exec-status.ts'
import { refusal } from './explain.ts'
import { reachable } from './reachable.ts'
import { writeWholeFrames } from './whole-frames.ts'

export type ExecOptions = {
  namespace: string
  pod: string
  container: string
  command: readonly string[]
  /** Without it `stdin` is at its end, and takes nothing. */
  stdin?: boolean
  /** Ends the connection at any time; most container runtimes leave the command running. */
  signal: AbortSignal
}

export type Execution = {
  stdin: Writable
  stdout: Readable
  stderr: Readable
  /** Comes after the last byte of the outputs has arrived, so it waits until they are read. Rejects when the connection is lost. */
  exit: Promise<Exit>
}

/** The first can end the input of a command (API server 1.30 or later); the second is what older ones and their nodes speak. */
const protocols = { closing: 'v5.channel.k8s.io', plain: 'v4.channel.k8s.io' }

/**
 * Starts the command. One WebSocket carries all: while 256 KiB of one output wait for their reader, the other output waits too, so both
 * want a reader, or `resume()`. Input waits for the command; while input that it never reads is on its way, Kubernetes does not tell that the
 * command has ended (kubectl waits as well). Rejects with `channel-failed`, `cancelled`, or a `Failure` of reaching the cluster; so
 * does `exit`, and then the outputs end with that error after what came before it.
 */
export async function exec(api: Api, options: ExecOptions): Promise<Execution> {
  const { pod, signal } = options
  const ws = await dial(api, options)
  const socket = new ChannelSocket(ws)
  const channels = new ExecChannels(socket, { pod, stdin: options.stdin === true })
  const abort = () => channels.end(cancelled(pod))
  signal.addEventListener('abort', abort, { once: true })
  channels.exit.finally(() => signal.removeEventListener('abort', abort)).catch(() => {})
  socket.start({
    message: (channel, bytes) => channels.message(channel, bytes),
    ended: fault => channels.ended(fault),
    reachable: () => reachable(api),
  })
  if (signal.aborted) abort()
  else if (options.stdin && ws.protocol !== protocols.closing) channels.end(endless(pod))
  const { stdin, stdout, stderr, exit } = channels
  return { stdin, stdout, stderr, exit }
}

async function dial(api: Api, { namespace, pod, container, command, stdin, signal }: ExecOptions) {
  try {
    return await api.dial({
      path: apiPath('/api/v1/namespaces', namespace, 'pods', pod, 'exec'),
      query: { container, command, stdin: stdin === true, stdout: true, stderr: true },
      protocols: [protocols.closing, protocols.plain],
      onConnection: writeWholeFrames,
      signal,
      asks: { verb: 'get', resource: 'pods/exec', namespace },
    })
  } catch (error) {
    throw signal.aborted ? cancelled(pod) : refusal(error, { verb: 'run a command in', pod, namespace })
  }
}

function cancelled(pod: string): Failure {
  return new Failure('cancelled', { what: `a command in pod ${pod}` })
}

function endless(pod: string): Failure {
  const reason = 'an API server before 1.30 cannot end the input of a command'
  return new Failure('channel-failed', { verb: 'run a command in', pod, reason })
}
