// UDP sockets of one session's processes that send to the pod's world: what supervisors ask for, and what the agent says of it.
import type { AgentEvent } from '../../protocol/agent/control.ts'
import type { Endpoint } from '../../protocol/codec.ts'
import { DatagramSocket, type DatagramSocketOptions } from './datagram-socket.ts'

/** A socket that connects asks the pod whether there is a way; its program waits, so that it is not asked for long. */
const connectPatienceMs = 4_000

/** What a supervisor asks for, for one socket of one process. */
export type DatagramCall = Pick<DatagramSocketOptions, 'from' | 'added' | 'refused'> & {
  process: string
  socket: string
  to: readonly Endpoint[]
  /** Why each of them is the pod's. */
  rules: readonly string[]
  connects: boolean
  answer(answer: DatagramCallAnswer): void
}
export type DatagramCallAnswer =
  | { outlets: { to: Endpoint; at: Endpoint }[]; local?: Endpoint }
  | { errno: string }

type Options = Pick<DatagramSocketOptions, 'open' | 'onNotice' | 'talkTo' | 'viewFlow'>
type Dialling = { resolve(local: Endpoint): void; reject(error: Error): void }

const failure = (code: string): Error => Object.assign(new Error(code), { code })

export class Datagrams {
  readonly #options: Options
  /** By process and socket. */
  readonly #sockets = new Map<string, Map<string, DatagramSocket>>()
  readonly #dialling = new Map<number, Dialling>()
  #linkIsDown = false

  constructor(options: Options) {
    this.#options = options
  }

  async ask(call: DatagramCall): Promise<void> {
    const socket = this.#socketOf(call)
    const ruleOf = (index: number) => call.rules[index] ?? ''
    const askedMs = performance.now()
    try {
      const outlets = await socket.outlets(call.to)
      for (const [index, peer] of call.to.entries()) socket.flows.chosen(peer, ruleOf(index))
      const [peer] = call.to
      const local = call.connects && peer !== undefined ? await this.#connect(socket, peer) : undefined
      if (local !== undefined) socket.flows.connected(local)
      call.answer(local === undefined ? { outlets } : { outlets, local })
    } catch (thrown) {
      const errno = (thrown as NodeJS.ErrnoException).code ?? 'ENETUNREACH'
      call.answer({ errno })
      const afterMs = performance.now() - askedMs
      for (const [index, peer] of call.to.entries())
        socket.flows.failed(peer, ruleOf(index), { errno, afterMs })
    }
  }

  /** No process has the socket any more. */
  closed(process: string, socket: string): void {
    const sockets = this.#sockets.get(process)
    sockets?.get(socket)?.close()
    sockets?.delete(socket)
    if (sockets?.size === 0) this.#sockets.delete(process)
  }

  /** The processes of a supervisor are gone, with all their sockets. */
  gone(process: string): void {
    for (const socket of this.#sockets.get(process)?.values() ?? []) socket.close()
    this.#sockets.delete(process)
  }

  /** What the agent says of a socket that is to be connected; false when it is none of these. */
  hear(event: Extract<AgentEvent, { event: 'dialled' | 'dialFailed' }>): boolean {
    const dialling = this.#dialling.get(event.stream)
    if (dialling === undefined) return false
    if (event.event === 'dialled') dialling.resolve(event.local)
    else dialling.reject(failure(event.errno))
    return true
  }

  setLink({ isDown }: { isDown: boolean }): void {
    this.#linkIsDown = isDown
  }

  /** Their agent is gone. The outlets stay, so that no process sends elsewhere; what comes there is dropped until there is another agent. */
  lost(): void {
    for (const { reject } of this.#dialling.values()) reject(failure('ENETUNREACH'))
    for (const sockets of this.#sockets.values()) for (const socket of sockets.values()) socket.lost()
  }

  #socketOf({ process, socket: id, from, added, refused }: DatagramCall): DatagramSocket {
    const sockets = this.#sockets.get(process) ?? new Map<string, DatagramSocket>()
    this.#sockets.set(process, sockets)
    const socket = sockets.get(id) ?? new DatagramSocket({ ...this.#options, from, added, refused })
    sockets.set(id, socket)
    return socket
  }

  /** The pod's own address of a connected socket. */
  async #connect(socket: DatagramSocket, to: Endpoint): Promise<Endpoint> {
    if (this.#linkIsDown) throw failure('ENETUNREACH')
    const stream = socket.connect(to)
    if (stream === undefined) throw failure('ENETUNREACH')
    let timer: NodeJS.Timeout | undefined
    try {
      return await new Promise<Endpoint>((resolve, reject) => {
        this.#dialling.set(stream.id, { resolve, reject })
        timer = setTimeout(() => reject(failure('ENETUNREACH')), connectPatienceMs)
      })
    } finally {
      clearTimeout(timer)
      this.#dialling.delete(stream.id)
    }
  }
}
