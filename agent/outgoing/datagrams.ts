// UDP sockets that are to be the pod's, whose network this process has entered: one a stream, or one a family, with its datagrams both ways.
import { createSocket, type Socket } from 'node:dgram'
import type { AgentEvent } from '../../protocol/agent/control.ts'
import type { Endpoint } from '../../protocol/codec.ts'
import { DatagramReader, encodeDatagram, encodeDatagramError } from '../../protocol/link/datagrams.ts'
import type { LinkStream } from '../../protocol/link/link-stream.ts'

/** A socket that nobody has used for so long is given back; the server opens another when it is used again. */
const idleMs = 5 * 60_000
/** What may wait in either direction; what comes while more waits is dropped, as a network does. */
const queueBytes = 1 << 20
/** Datagrams that wait for their socket to be connected. */
const waitingLimit = 64
/** A port to ask for a route with, when none is named (discard, RFC 863). */
const anyPort = 9

type Tell = (event: AgentEvent) => void
type Family = 'udp4' | 'udp6'
const familyOf = ({ address }: Endpoint): Family => (address.includes(':') ? 'udp6' : 'udp4')

/** Takes over a stream that was opened for a socket, connected to `to` if there is one. */
export function openDatagrams(
  stream: LinkStream,
  to: Endpoint | undefined,
  tell: Tell,
  options: { idleMs?: number } = {},
): void {
  const datagrams = new Datagrams(stream, to, tell, options.idleMs ?? idleMs)
  if (to !== undefined) datagrams.connect(to)
}

class Datagrams {
  readonly #sockets = new Map<Family, Socket>()
  readonly #reader = new DatagramReader()
  readonly #idle: NodeJS.Timeout
  /** Until the socket is connected. */
  #waiting: { peer: Endpoint; payload: Buffer }[] | undefined
  #dropped = 0
  #isOver = false
  #hasTold = false

  constructor(
    readonly stream: LinkStream,
    readonly to: Endpoint | undefined,
    readonly tell: Tell,
    idleAfterMs: number,
  ) {
    this.#idle = setTimeout(() => this.#finish(), idleAfterMs)
    stream.events = {
      data: ({ bytes }) => this.#take(bytes),
      end: () => this.#finish(),
      reset: () => this.#close(),
    }
  }

  connect(to: Endpoint): void {
    const socket = this.#open(familyOf(to))
    this.#waiting = []
    const failed = (error: NodeJS.ErrnoException) => {
      this.tell({ event: 'dialFailed', stream: this.stream.id, errno: error.code ?? 'ENETUNREACH' })
      this.#finish()
    }
    socket.once('error', failed)
    socket.connect(to.port || anyPort, to.address, (error?: NodeJS.ErrnoException) => {
      if (this.#isOver) return
      socket.off('error', failed)
      if (error) return failed(error)
      socket.on('error', refused => this.#network(to, refused))
      const { address, port } = socket.address()
      this.tell({ event: 'dialled', stream: this.stream.id, local: { address, port } })
      const waiting = this.#waiting ?? []
      this.#waiting = undefined
      for (const { peer, payload } of waiting) this.#send(peer, payload)
    })
  }

  #open(family: Family): Socket {
    const socket = createSocket({ type: family, ipv6Only: family === 'udp6' })
    this.#sockets.set(family, socket)
    socket.on('message', (payload, { address, port }) => {
      this.#idle.refresh()
      if (this.stream.queuedBytes > queueBytes) this.#dropped += 1
      else this.stream.write({ bytes: encodeDatagram({ address, port }, payload) })
    })
    return socket
  }

  #take(bytes: Buffer): void {
    this.stream.grant(bytes.length)
    this.#idle.refresh()
    try {
      for (const { kind, peer, payload } of this.#reader.read(bytes))
        if (kind === 'datagram' && this.#waiting !== undefined) this.#wait(peer, payload)
        else if (kind === 'datagram') this.#send(peer, payload)
    } catch (thrown) {
      this.stream.reset(String(thrown))
      this.#close()
    }
  }

  #wait(peer: Endpoint, payload: Buffer): void {
    if (this.#waiting !== undefined && this.#waiting.length < waitingLimit)
      this.#waiting.push({ peer, payload })
    else this.#dropped += 1
  }

  #send(peer: Endpoint, payload: Buffer, again = false): void {
    const socket = this.#sockets.get(familyOf(peer)) ?? this.#openForAll(familyOf(peer))
    if (this.#isOver || socket.getSendQueueSize() > queueBytes || peer.port === 0) {
      this.#dropped += 1
      return
    }
    const sent = (error: NodeJS.ErrnoException | null) => {
      if (error === null || this.#isOver) return
      this.#network(peer, error)
      // A socket that is connected tells at this datagram what became of an earlier one, and does not send it.
      if (this.to !== undefined && !again && error.code === 'ECONNREFUSED') this.#send(peer, payload, true)
    }
    if (this.to === undefined) socket.send(payload, peer.port, peer.address, sent)
    else socket.send(payload, sent)
  }

  /** For a socket that is not connected, which has no errors of its own but those of its making. */
  #openForAll(family: Family): Socket {
    const socket = this.#open(family)
    socket.on('error', error => {
      if (this.#isOver) return
      this.#sockets.delete(family)
      close(socket)
      if (this.#hasTold) return
      this.#hasTold = true
      this.tell({
        event: 'notice',
        level: 'warning',
        text: `A UDP socket of the pod failed: ${error.message}`,
      })
    })
    return socket
  }

  #network(peer: Endpoint, { code }: NodeJS.ErrnoException): void {
    if (this.#isOver || this.stream.queuedBytes > queueBytes) return
    this.stream.write({ bytes: encodeDatagramError(peer, code ?? 'ENETUNREACH') })
  }

  #finish(): void {
    if (this.#isOver) return
    this.#close()
    this.stream.end()
  }

  #close(): void {
    if (this.#isOver) return
    this.#isOver = true
    clearTimeout(this.#idle)
    for (const socket of this.#sockets.values()) close(socket)
    if (this.#dropped === 0) return
    const text = `${this.#dropped} datagrams of a UDP socket were dropped in the pod, because they came faster than they could go on`
    this.tell({ event: 'notice', level: 'info', text })
  }
}

/** What it still says is nobody's business; one that was never bound cannot be closed twice. */
function close(socket: Socket): void {
  socket.removeAllListeners('message')
  socket.on('error', () => {})
  socket.close()
}
