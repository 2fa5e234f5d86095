// The agent's end of the link: listens on an abstract Unix socket, or takes over a listener, lets in the one server that can sign, and ends when it stays away.
import { createPublicKey, type KeyObject, randomBytes } from 'node:crypto'
import { createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Failure } from '../../protocol/errors.ts'
import { createEndpoint, type Endpoint, type EndpointOptions } from '../../protocol/link/endpoint.ts'
import { greetServer, refuse } from './greet.ts'

export type ListenOptions = Pick<EndpointOptions, 'onControl' | 'onOpen' | 'heartbeatMs'> & {
  session: string
  /** The server's Ed25519 public key: SPKI DER, base64. */
  publicKey: string
  /** How long the server may stay away, from the start too. */
  graceMs: number
  /** A connection carries the link: the first one, and each after a drop. */
  onAttached(): void
  /** The server stayed away for too long; the endpoint is closed and nothing listens any more. Not called after `close`. */
  onGone(reason: string): void
}

export type Listener = {
  readonly endpoint: Endpoint
  /** Stops listening, ends all streams with the reason and leaves no socket or timer. */
  close(reason: string): void
}

/** Connections that have not proved who they are; the oldest makes room, so that nobody can keep the server out by staying silent. */
const greetingConnections = 8

/** `name` is that of the abstract Unix socket, without the leading NUL. */
export type NamedListener = Listener & { readonly name: string }

export async function listenForServer(options: ListenOptions): Promise<NamedListener> {
  const door = new Door(options, createServer())
  const name = `standin-agent-${randomBytes(16).toString('hex')}`
  await door.listen(`\0${name}`)
  return { name, endpoint: door.endpoint, close: reason => door.close(reason) }
}

/** `server` listens already, and whoever listened with it before hears of no connection any more; it stays where it is, whatever namespace we enter. */
export function adoptListener(options: ListenOptions, server: Server): Listener {
  const door = new Door(options, server)
  door.adopt()
  return { endpoint: door.endpoint, close: reason => door.close(reason) }
}

class Door {
  readonly endpoint: Endpoint
  readonly #options: ListenOptions
  readonly #publicKey: KeyObject
  readonly #server: Server
  readonly #greeting = new Map<Duplex, AbortController>()
  #grace: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: ListenOptions, server: Server) {
    this.#options = options
    this.#server = server
    this.#publicKey = createPublicKey({
      key: Buffer.from(options.publicKey, 'base64'),
      format: 'der',
      type: 'spki',
    })
    this.endpoint = createEndpoint({
      role: 'agent',
      onControl: options.onControl,
      onOpen: options.onOpen,
      onDetached: reason => this.#awaitServer(reason),
      ...(options.heartbeatMs === undefined ? {} : { heartbeatMs: options.heartbeatMs }),
    })
  }

  adopt(): void {
    this.#server.removeAllListeners('connection').removeAllListeners('error')
    this.#server.on('error', error => this.#options.onGone(`its listener failed: ${error.message}`))
    this.#open()
  }

  #open(): void {
    this.#server.on('connection', socket => void this.#greet(socket))
    this.#awaitServer('the server never connected')
  }

  listen(path: string): Promise<void> {
    this.#open()
    return new Promise((resolve, reject) => {
      this.#server.once('error', error => {
        this.close('nothing listens')
        reject(new Failure('agent-failed', { reason: 'its socket cannot be opened' }, { cause: error }))
      })
      this.#server.listen({ path }, () => resolve())
    })
  }

  close(reason: string): void {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#grace)
    this.#server.close()
    for (const abort of this.#greeting.values()) abort.abort()
    this.endpoint.close(reason)
  }

  async #greet(socket: Socket): Promise<void> {
    if (this.#closed) return void socket.destroy()
    // Frames are small and answered at once; without this a TCP connection holds some back for 40 ms.
    socket.setNoDelay(true)
    const abort = new AbortController()
    this.#greeting.set(socket, abort)
    this.#makeRoom()
    try {
      const otherReceived = await greetServer(socket, {
        session: this.#options.session,
        publicKey: this.#publicKey,
        received: this.endpoint.received,
        signal: abort.signal,
      })
      this.#attach(socket, otherReceived)
    } catch {
      // Whoever keeps its half open does not keep ours.
      socket.destroySoon()
    } finally {
      this.#greeting.delete(socket)
    }
  }

  #makeRoom(): void {
    const [oldest] = this.#greeting.values()
    if (this.#greeting.size > greetingConnections) oldest?.abort()
  }

  #attach(socket: Socket, otherReceived: bigint): void {
    try {
      this.endpoint.attach(socket, otherReceived)
    } catch (error) {
      refuse(socket, error)
      throw error
    }
    clearTimeout(this.#grace)
    this.#options.onAttached()
  }

  #awaitServer(reason: string): void {
    clearTimeout(this.#grace)
    this.#grace = setTimeout(() => {
      this.close(reason)
      this.#options.onGone(reason)
    }, this.#options.graceMs)
  }
}
