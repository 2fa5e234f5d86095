// What hooked processes send to the pod's world, in the supervisor's main thread: connections, Unix sockets and datagrams, each made when one is first heard of.
import type { FromSupervisor, ToSupervisor } from '../protocol/hook/messages.ts'
import { Connections } from './connections.ts'
import { Datagrams } from './datagrams.ts'
import type { FromAnswerer } from './shared/threads.ts'
import type { Threads } from './threads.ts'
import { UnixConnections } from './unix-connections.ts'

const fromConnections = ['connecting', 'held', 'disconnected', 'stayed'] as const
const fromDatagrams = ['outlets', 'datagramsClosed'] as const
const toConnections = ['dialled', 'established', 'refused', 'learn'] as const
const toUnix = ['unixMeet', 'established', 'refused'] as const
const toDatagrams = ['outlets', 'outletAdded', 'outletRefused'] as const

type Of<M extends { type: string }, T extends readonly string[]> = Extract<M, { type: T[number] }>
export type FromProcess =
  | Of<FromAnswerer, typeof fromConnections>
  | Of<FromAnswerer, typeof fromDatagrams>
  | Of<FromAnswerer, readonly ['unixConnecting']>
export type FromServer =
  | Of<ToSupervisor, typeof toConnections>
  | Of<ToSupervisor, typeof toUnix>
  | Of<ToSupervisor, typeof toDatagrams>

const isOf = <M extends { type: string }, T extends readonly string[]>(
  message: M,
  types: T,
): message is Of<M, T> => types.includes(message.type)

export const isFromProcess = (message: FromAnswerer): message is FromProcess =>
  isOf(message, fromConnections) || isOf(message, fromDatagrams) || message.type === 'unixConnecting'

export class Outbound {
  readonly #make: ConstructorParameters<typeof Connections>
  #made: Connections | undefined
  #sent: Datagrams | undefined
  #unix: UnixConnections | undefined

  constructor(
    processId: string,
    say: (message: FromSupervisor) => void,
    { notifications, tellAnswerer }: Threads,
  ) {
    this.#make = [processId, notifications, say, tellAnswerer]
  }

  get #connections(): Connections {
    this.#made ??= new Connections(...this.#make)
    return this.#made
  }

  get #datagrams(): Datagrams {
    this.#sent ??= new Datagrams(...this.#make)
    return this.#sent
  }

  get #unixConnections(): UnixConnections {
    this.#unix ??= new UnixConnections(...this.#make)
    return this.#unix
  }

  hear(message: FromProcess): void {
    if (message.type === 'unixConnecting') this.#unixConnections.hear(message)
    else if (isOf(message, fromConnections)) this.#connections.hear(message)
    else this.#datagrams.hear(message)
  }

  take(message: FromServer): void {
    if (isOf(message, toUnix) && this.#unixConnections.take(message)) return
    if (message.type === 'unixMeet') return
    if (isOf(message, toConnections)) this.#connections.take(message)
    else this.#datagrams.take(message)
  }
}
