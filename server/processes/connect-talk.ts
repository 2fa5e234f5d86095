// What the supervisor of one command says of connections that are made, and what it is told of them: TCP, and Unix sockets, which are joined at a meeting place.
import type { Endpoint } from '../../protocol/codec.ts'
import type { FromSupervisor, ToSupervisor } from '../../protocol/hook/messages.ts'
import type { OutgoingCall } from '../outgoing/outgoing.ts'

export type ConnectEvents = {
  /** A process connects to what is the pod's. */
  connect(call: OutgoingCall): void
  /** With `isOrphan` its supervisor is gone, and the socket may still be in progress. */
  abandoned(connection: string, options: { isOrphan: boolean }): void
}
type FromSupervisorOfConnects = Extract<
  FromSupervisor,
  { type: 'connect' | 'unixConnect' | 'known' | 'abandoned' }
>

export const isOfConnects = (message: FromSupervisor): message is FromSupervisorOfConnects =>
  message.type === 'connect' ||
  message.type === 'unixConnect' ||
  message.type === 'known' ||
  message.type === 'abandoned'

export class ConnectTalk {
  /** Connections that are neither established nor refused. */
  readonly #connecting = new Set<string>()
  /** By connection: who waits for the supervisor's `known`. */
  readonly #known = new Map<string, () => void>()

  constructor(
    readonly events: ConnectEvents,
    /** False when nobody is there to hear it. */
    readonly send: (message: ToSupervisor) => boolean,
  ) {}

  take(message: FromSupervisorOfConnects): void {
    if (message.type === 'connect') this.#connect(message)
    else if (message.type === 'unixConnect') this.#connectUnix(message)
    else if (message.type === 'known') this.#known.get(message.connection)?.()
    else this.#abandoned(message.connection, { isOrphan: false })
  }

  /** The supervisor is gone. */
  close(): void {
    for (const connection of [...this.#connecting]) this.#abandoned(connection, { isOrphan: true })
  }

  #connect({ connection, to, rule, from, waits }: Extract<FromSupervisor, { type: 'connect' }>): void {
    let shown: Endpoint | undefined
    this.#begin({
      ...{ connection, to, rule, from },
      dialled: async local => {
        if (waits) shown = local
        else await this.#untilKnown({ type: 'dialled', connection, local })
      },
      ...this.#endings(connection, () => shown),
    })
  }

  #connectUnix(message: Extract<FromSupervisor, { type: 'unixConnect' }>): void {
    const { connection, path, rule, withinMs, supervisor, seqpacket } = message
    const { established, refused } = this.#endings(connection)
    this.#begin({
      ...{ connection, rule, to: { address: path, port: 0 }, from: { address: '', port: 0 } },
      unix: {
        ...{ path, withinMs, supervisor, seqpacket },
        meet: name => this.#untilKnown({ type: 'unixMeet', connection, name }),
      },
      dialled: async () => {},
      established,
      // What is given up here shows as what connect(2) of a Unix socket has.
      refused: errno => refused(errno === 'ECONNABORTED' ? 'ECONNREFUSED' : errno),
    })
  }

  #begin(call: OutgoingCall): void {
    this.#connecting.add(call.connection)
    this.events.connect(call)
  }

  #untilKnown(message: Extract<ToSupervisor, { type: 'dialled' | 'unixMeet' }>): Promise<void> {
    const { connection } = message
    return new Promise(resolve => {
      this.#known.set(connection, () => {
        this.#known.delete(connection)
        resolve()
      })
      if (!this.send(message)) this.#known.get(connection)?.()
    })
  }

  #endings(
    connection: string,
    local: () => Endpoint | undefined = () => undefined,
  ): Pick<OutgoingCall, 'established' | 'refused'> {
    const end = (message: ToSupervisor) => {
      this.#connecting.delete(connection)
      this.send(message)
    }
    return {
      established: () => {
        const shown = local()
        end({ type: 'established', connection, ...(shown === undefined ? {} : { local: shown }) })
      },
      refused: errno => end({ type: 'refused', connection, errno }),
    }
  }

  /** Nothing waits for it any more: not the dial, and not the server for the supervisor's word. */
  #abandoned(connection: string, options: { isOrphan: boolean }): void {
    this.#connecting.delete(connection)
    this.events.abandoned(connection, options)
    this.#known.get(connection)?.()
  }
}
