// Outlets as a server makes them, for commands under the hooks that send datagrams to the pod's world.
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { Endpoint } from '../../protocol/codec.ts'
import type { HookedCommand, Message } from './hooked-command.ts'

export class Outlets {
  readonly #sockets = new Set<Socket>()

  /** Answers the next question of the command with an outlet that is connected to the process's socket. */
  async answer(hooked: HookedCommand, more: { local?: Endpoint } = {}) {
    const asked: Message<'outlets'> = await hooked.next('outlets')
    const socket = createSocket({ type: 'udp4', recvBufferSize: 8_000_000 })
    this.#sockets.add(socket)
    // The process is gone, or has closed its socket.
    socket.on('error', () => {})
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    await new Promise<void>(done => socket.connect(asked.from.port, asked.from.address, () => done()))
    const at = { address: '127.0.0.1', port: socket.address().port }
    hooked.send({ type: 'outlets', request: asked.request, outlets: [{ to: asked.to[0]!, at }], ...more })
    return { asked, socket }
  }

  /** The pod has heard that nobody is there. */
  async refuse(hooked: HookedCommand, socket: Socket, { socket: id }: Message<'outlets'>): Promise<void> {
    this.#sockets.delete(socket)
    await new Promise<void>(done => socket.close(() => done()))
    hooked.send({ type: 'outletRefused', announcement: 1, socket: id })
    await hooked.next('outletKnown')
  }

  close(): void {
    for (const socket of this.#sockets) socket.close()
    this.#sockets.clear()
  }
}
