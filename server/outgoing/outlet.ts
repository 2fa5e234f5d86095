// An outlet: a UDP socket on loopback that stands for one peer of one socket of a process, and is connected to that socket.
import { createSocket, type Socket } from 'node:dgram'
import type { Endpoint } from '../../protocol/codec.ts'

/** The kernel may give less (net.core.rmem_max). */
const bufferBytes = 1 << 20

export class Outlet {
  #socket: Socket | undefined

  private constructor(
    readonly to: Endpoint,
    readonly at: Endpoint,
    readonly process: Endpoint,
    readonly take: (outlet: Outlet, payload: Buffer) => void,
    socket: Socket,
  ) {
    this.#serve(socket)
  }

  /** Rejects with the error of the system call that failed. */
  static async open(options: {
    to: Endpoint
    /** Where the process's socket is reached. */
    process: Endpoint
    /** What the process sends to the peer. */
    take(outlet: Outlet, payload: Buffer): void
  }): Promise<Outlet> {
    const { to, process, take } = options
    const socket = await openFor(process)
    const { address, port } = socket.address()
    return new Outlet(to, { address, port }, process, take, socket)
  }

  /** What the peer says to the process. */
  send(payload: Buffer): void {
    // One that cannot be sent is lost, as datagrams are: the process has closed its socket.
    this.#socket?.send(payload, () => {})
  }

  /** For as long as `meanwhile` takes it hears nobody, and who sends to it hears ECONNREFUSED; its port stays its own. */
  async refuse(meanwhile: () => Promise<void>): Promise<void> {
    await this.#connect(this.at)
    await meanwhile()
    await this.#connect(this.process)
  }

  async #connect(to: Endpoint): Promise<void> {
    const socket = this.#socket
    if (socket === undefined) return
    socket.disconnect()
    await connected(socket, to)
  }

  close(): void {
    this.#socket?.close()
    this.#socket = undefined
  }

  #serve(socket: Socket): void {
    this.#socket = socket
    // Before it is connected, and while it refuses, anybody may send to it.
    socket.on('message', (payload, { address, port }) => {
      if (address === this.process.address && port === this.process.port) this.take(this, payload)
    })
  }
}

const portTries = 16

/** On a port that it names itself: one that the kernel has chosen is given back as soon as the socket is connected to nobody (connect(2)). */
async function openFor(process: Endpoint): Promise<Socket> {
  for (let tries = 1; ; tries++) {
    const chosen = await bound(process, 0)
    const { port } = chosen.address()
    await new Promise<void>(resolve => chosen.close(() => resolve()))
    try {
      const socket = await bound(process, port)
      await connected(socket, process)
      socket.setRecvBufferSize(bufferBytes)
      return socket
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || tries === portTries) throw error
    }
  }
}

function bound(process: Endpoint, port: number): Promise<Socket> {
  const isSix = process.address.includes(':')
  const socket = createSocket(isSix ? 'udp6' : 'udp4')
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => {
      socket.close()
      reject(error)
    }
    socket.once('error', failed)
    socket.bind({ address: isSix ? '::1' : '127.0.0.1', port, exclusive: true }, () => {
      socket.off('error', failed)
      // The process has closed its socket, or the kernel has less room.
      socket.on('error', () => {})
      resolve(socket)
    })
  })
}

/** Closes it when that fails. */
function connected(socket: Socket, { address, port }: Endpoint): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.connect(port, address, (error?: Error) => {
      if (!error) return resolve()
      socket.close()
      reject(error)
    })
  })
}
