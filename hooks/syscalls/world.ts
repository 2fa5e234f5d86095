// What the answers to system calls are decided from: the session's wishes, and what is known of sockets by their cookies.
import type { Endpoint } from '../../protocol/codec.ts'
import { makeForMany } from '../../protocol/for-many.ts'
import type { OutgoingRules } from '../../protocol/hook/messages.ts'
import type { OutgoingFilter } from '../../protocol/outgoing/filter.ts'
import type { UnixStreams } from '../../protocol/outgoing/unix-streams.ts'
import { makeOwnAddresses } from '../../protocol/own-addresses.ts'
import { type Descriptors, makeDescriptors } from '../linux/descriptors.ts'
import { openListenTable } from '../linux/sock-diag.ts'
import { ownNamespace } from '../linux/sockets.ts'
import { openDatagramTable } from '../linux/udp-sockets.ts'
import { makeNames, type Names } from '../names.ts'
import {
  type Announced,
  type Announcements,
  isWanted,
  openAnnouncements,
  type SharedMemory,
} from '../shared/announcements.ts'
import { BoundedMap } from '../shared/bounded-map.ts'
import type { ConnectMessage } from '../shared/connecting.ts'
import type { DatagramMessage } from '../shared/datagrams.ts'
import type { UnixConnectMessage } from '../shared/unix-connecting.ts'
import type { Range } from '../shared/window.ts'
import { type DatagramSockets, makeDatagramSockets } from './datagrams/sockets.ts'

/** Cookies are never reused, so what is kept of closed sockets is only waste; this many sockets are remembered. */
const socketLimit = 65_536
const bindingThreadLimit = 4096
/** Only to save a system call when a program asks several times. */
const undeliveredLimit = 4096
/** One that was forgotten is told again. */
const toldLimit = 4096

/** What becomes of a trapped call: the kernel runs it, or it ends with a result (negative errno), or it was answered or put aside already. */
export type Outcome =
  | { readonly kind: 'continue'; readonly reason: string }
  | { readonly kind: 'result'; readonly result: number; readonly lost?: () => void }
  | { readonly kind: 'done' }

export const leaveAlone = (reason: string): Outcome => ({ kind: 'continue', reason })
/** `lost` is called when a signal has ended the call before its result came: it is made again then, or the program hears of EINTR. */
export const give = (result: number, lost?: () => void): Outcome =>
  lost === undefined ? { kind: 'result', result } : { kind: 'result', result, lost }
export const done: Outcome = { kind: 'done' }

export type Notice = { level: 'info' | 'warning'; code: string; text: string }
export type Listener = {
  cookie: bigint
  /** How the kernel's tables show it, an MPTCP socket too. */
  inode: number
  family: number
  asked: Endpoint
  actual: Endpoint
  /** SO_REUSEPORT: other sockets of the same user, ours or not, may share its port. */
  sharesPort: boolean
  /** It listened before the filter was there, so that a program outside of the session may have it too. */
  inherited: boolean
}
export type Binding = { family: number; asked: Endpoint; actual: Endpoint }

/** `isHeard`: the kernel took our answer to it. */
export type LastBind = { cookie: bigint; asked: Buffer; isHeard: boolean }

/** A connection that the process made, or is making, to what is not this machine's. */
export type Outgoing = {
  family: number
  to: Endpoint
  /** What the process sees as its own address, once the pod has connected. */
  local?: Endpoint
  /** What SO_ERROR is to say, once. */
  errno?: number
  /** Whether the kernel took our EINPROGRESS. */
  isHeard: boolean
}

export type World = {
  readonly listener: number
  readonly supervisor: number
  readonly descriptors: Descriptors
  readonly announcements: Announcements
  /** The network namespace whose ports are shared with the server's; sockets of others are left alone. */
  readonly namespace: bigint
  readonly podAddresses: Set<string>
  /** The last bind that was done for each thread, for the call that is made again because a signal ended it. */
  readonly lastBinds: Map<number, LastBind>
  /** Bound sockets by cookie: what was asked for and what it became. */
  readonly bindings: Map<bigint, Binding>
  readonly listeners: Map<bigint, Listener>
  /** Ports that hooked processes have listened on. */
  readonly listenedPorts: Set<number>
  /** Accepted connections that were announced. */
  readonly delivered: Map<bigint, Announced>
  /** Sockets that were found not to be announced connections, which none becomes later: it is one from its accept on, or never. */
  readonly undelivered: Map<bigint, true>
  /** The session's substitute for a port that could not be had. */
  readonly substitutes: Map<number, number>
  outgoingRules: OutgoingRules | undefined
  readonly names: Names
  outgoingFilter: OutgoingFilter | undefined
  readonly outgoing: Map<bigint, Outgoing>
  /** Addresses of this machine that were told as such to whoever looks at what datagrams are sent. */
  readonly toldDatagrams: Map<string, true>
  /** Which Unix sockets are the pod's; undefined where none is. */
  unixStreams: UnixStreams | undefined
  /** Unix sockets that are connected to the pod's: what getpeername shows. */
  readonly unixPeers: Map<bigint, Uint8Array>
  isNameserver(to: Endpoint): boolean
  isPodAddress(address: string): boolean
  hasListened(port: number): boolean
  readonly datagrams: DatagramSockets
  /** The numbers that UDP sockets have. */
  readonly window: readonly Range[]
  /** Whether something on this machine takes connections, or datagrams (from that sender), to that address. */
  listensHere(to: Endpoint, protocol?: 'tcp' | 'udp', from?: Endpoint): boolean
  /** Whether that address is a multicast or a broadcast one. */
  isForMany(address: string): boolean
  /** Whether that address is one of this machine's. */
  isOwnAddress(address: string): boolean
  isWanted(port: number): boolean
  /** The supervisor sees to the rest of it. */
  tell(message: ConnectMessage | DatagramMessage | UnixConnectMessage): void
  /** Lists a call that is answered later; false when there is no room. A `refused` one must never be left to the kernel. */
  hold(id: bigint, options?: { refused: boolean }): boolean
  /** Waits for what the supervisor is about to say, for a moment and no longer: other calls wait meanwhile. */
  await(isThere: () => boolean): void
  notice(notice: Notice): void
  listening(listener: Listener): void
}

export function makeWorld(options: {
  listener: number
  window: readonly Range[]
  memory: SharedMemory
  tell: World['tell']
  hold: (id: bigint, options?: { refused: boolean }) => boolean
  await: World['await']
  notice: (notice: Notice) => void
  listening: (listener: Listener) => void
}): World {
  const names = makeNames()
  const listenedPorts = new Set<number>()
  const podAddresses = new Set<string>()
  return {
    listener: options.listener,
    supervisor: process.pid,
    descriptors: makeDescriptors(),
    announcements: openAnnouncements(options.memory.announcements),
    namespace: ownNamespace(),
    podAddresses,
    lastBinds: new BoundedMap(bindingThreadLimit),
    bindings: new BoundedMap(socketLimit),
    listeners: new BoundedMap(socketLimit),
    listenedPorts,
    delivered: new BoundedMap(socketLimit),
    undelivered: new BoundedMap(undeliveredLimit),
    substitutes: new Map(),
    outgoingRules: undefined,
    names,
    outgoingFilter: undefined,
    outgoing: new BoundedMap(socketLimit),
    toldDatagrams: new BoundedMap(toldLimit),
    unixStreams: undefined,
    unixPeers: new BoundedMap(socketLimit),
    datagrams: makeDatagramSockets(),
    window: options.window,
    listensHere: makeListensHere(),
    isNameserver: to => names.isNameserver(to),
    isPodAddress: address => podAddresses.has(address),
    hasListened: port => listenedPorts.has(port),
    isForMany: makeForMany(),
    isOwnAddress: makeOwnAddresses(),
    isWanted: port => isWanted(options.memory.wanted, port),
    tell: options.tell,
    hold: options.hold,
    await: options.await,
    notice: options.notice,
    listening: options.listening,
  }
}

/** Opened when it is first asked: most commands connect to nothing, or to what is not loopback. */
function makeListensHere(): World['listensHere'] {
  let table: ReturnType<typeof openListenTable> | undefined
  let takesDatagrams: ReturnType<typeof openDatagramTable> | undefined
  return (to, protocol, from) => {
    if (protocol === 'udp') {
      takesDatagrams ??= openDatagramTable()
      return takesDatagrams(to, from)
    }
    table ??= openListenTable()
    return table.at(to) !== undefined
  }
}
