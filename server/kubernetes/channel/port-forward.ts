// Opens a connection to a port of a pod: Kubernetes' port-forward.
import type { Duplex } from 'node:stream'
import { Failure } from '../../../protocol/errors.ts'
import { orAborted, within } from '../../deadline.ts'
import { type Api, apiPath } from '../client/api.ts'
import { acceptedProtocol } from '../client/dial.ts'
import { ChannelSocket } from './channel-socket.ts'
import { refusal } from './explain.ts'
import { PodConnection } from './pod-connection.ts'
import { PortFrames } from './port-frames.ts'
import { reachable } from './reachable.ts'
import { tunnelFormat, tunnelProtocol } from './tunnel-format.ts'
import { writeWholeFrames } from './whole-frames.ts'
import { channelFormat } from './wire-format.ts'

/** How long the node may take to open the channels after the API server has accepted. */
const openWithinMs = 10_000

export type PortForwardOptions = {
  namespace: string
  pod: string
  /** TCP, on loopback of the pod's network namespace. */
  port: number
  /** For the opening alone: what this resolves to is the caller's to destroy. */
  signal: AbortSignal
}

/**
 * A connection to a port of a pod; PodConnection says how it ends. Resolves when the node has opened the channels: whether anything listens
 * on the port is known only later, and if nothing does the connection ends with an error that says so. That error and the rejection are
 * `channel-failed`, or a `Failure` of reaching the cluster; a signal that aborts gives `cancelled`.
 */
export async function portForward(api: Api, options: PortForwardOptions): Promise<Duplex> {
  const { pod, port, signal } = options
  const ws = await dial(api, options)
  const socket = new ChannelSocket(
    ws,
    acceptedProtocol(ws) === tunnelProtocol ? tunnelFormat(port) : channelFormat,
  )
  const connection = new PodConnection(socket)
  const frames = new PortFrames({ pod, port, connection, abandon: () => socket.close(() => {}) })
  // Until the caller has it, its failure is told by the rejection.
  const early = () => {}
  connection.on('error', early)
  socket.start({
    message: (channel, bytes) => frames.message(channel, bytes),
    ended: fault => frames.ended(fault),
    reachable: () => reachable(api),
  })
  try {
    await within(orAborted(frames.opened, signal), openWithinMs, () => silent(options))
  } catch (error) {
    connection.destroy()
    throw signal.aborted ? cancelled(options) : error
  }
  connection.off('error', early)
  return connection
}

async function dial(api: Api, { namespace, pod, port, signal }: PortForwardOptions) {
  try {
    return await api.dial({
      path: apiPath('/api/v1/namespaces', namespace, 'pods', pod, 'portforward'),
      query: { ports: port },
      // An API server or a node that knows no tunnel takes the second.
      protocols: [tunnelProtocol, 'v4.channel.k8s.io'],
      onConnection: writeWholeFrames,
      signal,
      asks: { verb: 'get', resource: 'pods/portforward', namespace },
    })
  } catch (error) {
    throw signal.aborted
      ? cancelled({ pod, port })
      : refusal(error, { verb: `forward port ${port} of`, pod, namespace })
  }
}

function cancelled({ pod, port }: Pick<PortForwardOptions, 'pod' | 'port'>): Failure {
  return new Failure('cancelled', { what: `the connection to port ${port} of pod ${pod}` })
}

function silent({ pod, port }: PortForwardOptions): Failure {
  return new Failure('channel-failed', {
    verb: `forward port ${port} of`,
    pod,
    reason: `its node did not answer within ${openWithinMs / 1_000} s`,
  })
}
