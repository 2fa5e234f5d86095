// Makes the connections that are to leave from the pod, whose network this process has entered, and joins each with its stream.
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type AgentEvent, type DialFar, dial } from '../../protocol/agent/control.ts'
import { decode, type Endpoint } from '../../protocol/codec.ts'
import { joinStream, resetSocket } from '../../protocol/link/join.ts'
import type { LinkStream } from '../../protocol/link/link-stream.ts'
import { openDatagrams } from './datagrams.ts'
import { carryNames } from './names.ts'
import type { PodFiles } from './pod-files.ts'
import { connectFromPod } from './pod-socket.ts'
import { reach } from './reach.ts'

/** Takes a stream that the server opened, with its payload, not yet checked. `files` are the pod's. */
export function createDialler(
  tell: (event: AgentEvent) => void,
  files: PodFiles,
): (stream: LinkStream, payload: unknown) => void {
  return (stream, payload) => {
    const checked = decode(dial, payload)
    if (!checked.ok) stream.reset('its opening is not understood')
    else if ('host' in checked.value || 'path' in checked.value)
      reachFor(stream, checked.value, { tell, files })
    else if (checked.value.dial === 'names')
      carryNames(stream, { nameserver: checked.value.to, withinMs: checked.value.withinMs ?? defaultNamesMs })
    else if (checked.value.dial === 'udp') openDatagrams(stream, checked.value.to, tell)
    else dialFor(stream, checked.value.to, tell)
  }
}

/** What a resolver takes for two tries (resolv.conf(5)). */
const defaultNamesMs = 10_000

/** Until the answer the kernel alone decides how long a connect takes. */
function dialFor(
  stream: LinkStream,
  { address: host, port }: { address: string; port: number },
  tell: (event: AgentEvent) => void,
): void {
  const socket = connectFromPod({ host, port })
  const failed = (error: NodeJS.ErrnoException) => {
    tell({ event: 'dialFailed', stream: stream.id, errno: error.code ?? 'ENETUNREACH' })
    stream.end()
  }
  // Who gives a connection up while it is made resets its stream.
  stream.events = {
    data: ({ bytes }) => stream.grant(bytes.length),
    end: () => {},
    reset: () => socket.destroy(),
  }
  socket.once('error', failed)
  socket.once('connect', () => {
    socket.off('error', failed)
    tell({
      event: 'dialled',
      stream: stream.id,
      local: { address: socket.localAddress ?? host, port: socket.localPort ?? 0 },
    })
    joinStream(stream, socket)
  })
}

/** A Unix socket has none. */
function localOf(socket: Duplex): Endpoint {
  const { localAddress: address = '', localPort: port = 0 } = socket instanceof Socket ? socket : {}
  return { address, port }
}

/** For a forward, whose near end says nothing before the answer. */
function reachFor(
  stream: LinkStream,
  to: DialFar,
  { tell, files }: { tell: (event: AgentEvent) => void; files: PodFiles },
): void {
  const given = new AbortController()
  const { signal } = given
  stream.events = {
    data: ({ bytes }) => stream.grant(bytes.length),
    end: () => {},
    reset: () => given.abort(),
  }
  reach(to, { files, signal }).then(
    socket => {
      if (signal.aborted) return resetSocket(socket)
      tell({ event: 'dialled', stream: stream.id, local: localOf(socket) })
      joinStream(stream, socket)
    },
    (error: NodeJS.ErrnoException) => {
      if (signal.aborted) return
      tell({ event: 'dialFailed', stream: stream.id, errno: error.code ?? 'EIO' })
      stream.end()
    },
  )
}
