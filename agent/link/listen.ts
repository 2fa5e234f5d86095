// The agent's end of the link: listens on an abstract Unix socket, lets in the one server that can sign, and ends when it stays away.
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
  /** Name of the abstract Unix socket, without the leading NUL. */
  readonly name: string
  readonly endpoint: Endpoint
  /** Stops listening, ends all streams with the reason and leaves no socket or timer. */
  close(reason: string): void
}

/** Connections that have not proved who they are; the oldest makes room, so that nobody can keep the server out by staying silent. */
const greetingConnections = 8

export async function listenForServer(options: ListenOptions): Promise<Listener> {
  const door = new Door(options)
  const name = `standin-agent-${randomBytes(16).toString('hex')}`
  await door.listen(`\0${name}`)
  return { name, endpoint: door.endpoint, close: reason => door.close(reason) }
}

class Door {
  readonly endpoint: Endpoint
  readonly #options: ListenOptions
  readonly #publicKey: KeyObject
  readonly #server: Server
  readonly #greeting = new Map<Duplex, AbortController>()
  #grace: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: ListenOptions) {
    this.#options = options
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
    this.#server = createServer(socket => void this.#greet(socket))
  }

  listen(path: string): Promise<void> {
    this.#awaitServer('the server never connected')
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
