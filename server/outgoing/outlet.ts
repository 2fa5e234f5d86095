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
    const socket = await openAt(process, 0)
    const { address, port } = socket.address()
    return new Outlet(to, { address, port }, process, take, socket)
  }

  /** What the peer says to the process. */
  send(payload: Buffer): void {
    // One that cannot be sent is lost, as datagrams are: the process has closed its socket.
    this.#socket?.send(payload, () => {})
  }

  /** Closes it for as long as `meanwhile` takes: who sends to it hears ECONNREFUSED then. */
  async refuse(meanwhile: () => Promise<void>): Promise<void> {
    const socket = this.#socket
    if (socket === undefined) return
    this.#socket = undefined
    await new Promise<void>(resolve => socket.close(() => resolve()))
    await meanwhile()
    this.#serve(await openAt(this.process, this.at.port))
  }

  close(): void {
    this.#socket?.close()
    this.#socket = undefined
  }

  #serve(socket: Socket): void {
    this.#socket = socket
    socket.on('message', payload => this.take(this, payload))
  }
}

function openAt(process: Endpoint, port: number): Promise<Socket> {
  const isSix = process.address.includes(':')
  const socket = createSocket(isSix ? 'udp6' : 'udp4')
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => {
      socket.close()
      reject(error)
    }
    socket.once('error', failed)
    socket.bind({ address: isSix ? '::1' : '127.0.0.1', port, exclusive: true }, () => {
      socket.connect(process.port, process.address, (error?: Error) => {
        socket.off('error', failed)
        if (error) return failed(error)
        // The process has closed its socket, or the kernel has less room.
        socket.on('error', () => {})
        socket.setRecvBufferSize(bufferBytes)
        resolve(socket)
      })
    })
  })
}
