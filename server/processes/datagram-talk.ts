// What the supervisor of one command says of UDP sockets, and what it is told of them.
import type { FromSupervisor, ToSupervisor } from '../../protocol/hook/messages.ts'
import type { DatagramCall } from '../outgoing/datagrams.ts'

export type DatagramEvents = {
  /** A process sends to peers that are the pod's, or connects a socket to one. */
  datagrams(call: DatagramCall): void
  datagramsClosed(socket: string): void
}
type FromSupervisorOfDatagrams = Extract<
  FromSupervisor,
  { type: 'outlets' | 'outletKnown' | 'datagramsClosed' }
>

export const isOfDatagrams = (message: FromSupervisor): message is FromSupervisorOfDatagrams =>
  message.type === 'outlets' || message.type === 'outletKnown' || message.type === 'datagramsClosed'

export class DatagramTalk {
  #announcement = 0
  /** By announcement: who waits until the supervisor has acted on it. */
  readonly #known = new Map<number, () => void>()

  constructor(
    readonly process: string,
    readonly events: DatagramEvents,
    /** False when nobody is there to hear it. */
    readonly send: (message: ToSupervisor) => boolean,
  ) {}

  take(message: FromSupervisorOfDatagrams): void {
    if (message.type === 'outlets') this.#ask(message)
    else if (message.type === 'outletKnown') this.#settle(message.announcement)
    else this.events.datagramsClosed(message.socket)
  }

  /** The supervisor is gone. */
  close(): void {
    for (const announcement of [...this.#known.keys()]) this.#settle(announcement)
  }

  #ask({ request, socket, from, to, rules, connects }: Extract<FromSupervisor, { type: 'outlets' }>): void {
    this.events.datagrams({
      ...{ process: this.process, socket, from, to, rules, connects },
      answer: answer => void this.send({ type: 'outlets', request, outlets: [], ...answer }),
      added: outlet => this.#tell(announcement => ({ type: 'outletAdded', announcement, socket, outlet })),
      refused: () => this.#tell(announcement => ({ type: 'outletRefused', announcement, socket })),
    })
  }

  #tell(message: (announcement: number) => ToSupervisor): Promise<void> {
    this.#announcement += 1
    const announcement = this.#announcement
    return new Promise(resolve => {
      this.#known.set(announcement, resolve)
      if (!this.send(message(announcement))) this.#settle(announcement)
    })
  }

  #settle(announcement: number): void {
    this.#known.get(announcement)?.()
    this.#known.delete(announcement)
  }
}
