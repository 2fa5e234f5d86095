// Connections of one session's processes that leave from the pod: each becomes a stream of the link, dialled there and completed here.
import type { Socket } from 'node:net'
import type { AgentEvent, Dial } from '../../protocol/agent/control.ts'
import type { Endpoint } from '../../protocol/codec.ts'
import { joinStream, resetSocket } from '../../protocol/link/join.ts'
import type { LinkStream } from '../../protocol/link/link-stream.ts'
import { Unframer } from '../../protocol/sequenced/frame.ts'
import type { FlowTaps } from '../traffic/flow.ts'
import type { LeavingFacts, LeavingTaps } from '../traffic/leaving.ts'
import type { NameTalk } from './datagram-socket.ts'
import { Datagrams } from './datagrams.ts'
import type { FlowWish } from './flows.ts'
import { tapped } from './tapped.ts'

/** Where the supervisor of a process brings its Unix socket. */
export type Meeting = {
  supervisor: number
  /** Its messages are frames of sequenced/frame.ts in what is given for it. */
  seqpacket: boolean
  /** Resolves when it has been there, or never will be. */
  meet(name: string): Promise<void>
}

/** The supervisor's end of one connection. */
export type OutgoingCall = {
  connection: string
  to: Endpoint
  /** Why it is the pod's. */
  rule: string
  /** Where the process's socket connects from. */
  from: Endpoint
  /** A Unix socket; the address of `to` is its path then, and `from` says nothing. */
  unix?: Meeting & { path: string; withinMs: number }
  /** Resolves when the process sees that address as its own. */
  dialled(local: Endpoint): Promise<void>
  established(): void
  refused(errno: string): void
}

export type OutgoingOptions = {
  /** A stream to the agent; undefined while there is none. */
  open(payload: Dial): LinkStream | undefined
  /** The other end of a process's connection that is in progress. */
  complete(from: Endpoint | Meeting): Promise<Socket>
  /** Whoever looks at what leaves. */
  view(facts: LeavingFacts): LeavingTaps
  viewFlow(wish: FlowWish): FlowTaps
  /** A sentence for the log. */
  onNotice(text: string): void
  /** What is asked of a nameserver by datagram. */
  talkTo?(peer: Endpoint): NameTalk | undefined
}

/** What the pod's dials may take while the link is down, before they are refused. */
const linkPatienceMs = 10_000

type Dialling = {
  call: OutgoingCall
  seen: LeavingTaps
  stream: LinkStream
  timer: NodeJS.Timeout | undefined
}

export class Outgoing {
  readonly datagrams: Datagrams
  readonly #options: OutgoingOptions
  readonly #dialling = new Map<number, Dialling>()
  /** By what the supervisor calls them, until they stand. */
  readonly #byConnection = new Map<string, number>()
  readonly #joined = new Set<Socket>()
  #linkIsDown = false

  constructor(options: OutgoingOptions) {
    this.#options = options
    this.datagrams = new Datagrams(options)
  }

  /** Nothing that belongs to the pod is made from here instead: without an agent it is refused. */
  connect(asked: OutgoingCall): void {
    const seen = this.#view(asked)
    const call = { ...asked, refused: refusedTo(asked, seen) }
    const stream = this.#options.open(dialOf(call))
    if (stream === undefined) {
      call.refused('ENETUNREACH')
      return
    }
    const dialling: Dialling = { call, seen, stream, timer: undefined }
    stream.events = {
      data: ({ bytes }) => stream.grant(bytes.length),
      end: () => {},
      // The agent did not understand it, or is gone.
      reset: () => this.#take(stream.id)?.call.refused('ENETUNREACH'),
    }
    this.#dialling.set(stream.id, dialling)
    this.#byConnection.set(call.connection, stream.id)
    if (this.#linkIsDown) this.#bound(dialling)
  }

  /** Nothing is dialled for it. */
  refuse(call: OutgoingCall, errno: string): void {
    refusedTo(call, this.#view(call))(errno)
  }

  /** The process has given it up; or, with `isOrphan`, nobody tells it any more what becomes of it. */
  abandoned(connection: string, { isOrphan }: { isOrphan: boolean }): void {
    const id = this.#byConnection.get(connection)
    const dialling = id === undefined ? undefined : this.#take(id)
    if (dialling === undefined) return
    const { call, seen, stream } = dialling
    seen.failed()
    stream.reset('the process gave it up')
    // The kernel alone would end it by its time-out, two minutes later.
    if (isOrphan && call.unix === undefined)
      this.#options.complete(call.from).then(resetSocket, () => undefined)
  }

  /** What the agent says of a dial. */
  hear(event: Extract<AgentEvent, { event: 'dialled' | 'dialFailed' }>): void {
    if (this.datagrams.hear(event)) return
    const dialling = this.#take(event.stream)
    if (dialling === undefined) return
    const { call, stream, seen } = dialling
    // What the peer says waits until it is joined.
    stream.events = undefined
    if (event.event === 'dialled') void this.#complete({ call, seen, stream }, event.local)
    else {
      call.refused(event.errno)
      stream.reset('the dial failed')
    }
  }

  /** While the link is away, dials wait for it, and not for long. */
  setLink({ isDown }: { isDown: boolean }): void {
    if (this.#linkIsDown === isDown) return
    this.datagrams.setLink({ isDown })
    this.#linkIsDown = isDown
    for (const dialling of this.#dialling.values()) {
      clearTimeout(dialling.timer)
      dialling.timer = undefined
      if (isDown) this.#bound(dialling)
    }
  }

  /** Their agent is gone: what was being dialled is refused. What stands was reset with the streams. */
  lost(): void {
    this.datagrams.lost()
    for (const id of [...this.#dialling.keys()]) this.#take(id)?.call.refused('ENETUNREACH')
  }

  close(): void {
    this.lost()
    for (const socket of this.#joined) resetSocket(socket)
  }

  #view({ to, rule, unix }: OutgoingCall): LeavingTaps {
    return this.#options.view({ protocol: unix === undefined ? 'tcp' : 'unix', to, rule })
  }

  #take(id: number): Dialling | undefined {
    const dialling = this.#dialling.get(id)
    if (dialling === undefined) return undefined
    clearTimeout(dialling.timer)
    this.#dialling.delete(id)
    this.#byConnection.delete(dialling.call.connection)
    return dialling
  }

  #bound(dialling: Dialling): void {
    const { call, stream } = dialling
    dialling.timer = setTimeout(() => {
      this.#take(stream.id)
      call.refused('ENETUNREACH')
      stream.reset('the link is down')
    }, linkPatienceMs)
  }

  async #complete({ call, seen, stream }: Omit<Dialling, 'timer'>, local: Endpoint): Promise<void> {
    try {
      await call.dialled(local)
      const socket = await this.#options.complete(call.unix ?? call.from)
      this.#joined.add(socket)
      seen.stands(local)
      this.#join({ call, seen, stream }, socket)
      call.established()
    } catch (thrown) {
      stream.reset('the process gave it up')
      call.refused('ECONNABORTED')
      const why = thrown instanceof Error ? thrown.message : String(thrown)
      const to = call.unix === undefined ? `${call.to.address} port ${call.to.port}` : call.unix.path
      this.#options.onNotice(`A connection to ${to} was given up: ${why}`)
    }
  }
  #join({ call, seen, stream }: Omit<Dialling, 'timer'>, socket: Socket): void {
    const isFramed = call.unix?.seqpacket === true
    let reason: string | undefined
    const see = seenBy(isFramed, bytes => seen.sent(bytes))
    const sent = isFramed ? (bytes: Buffer) => see(Buffer.from(bytes)) : see
    const received = seenBy(isFramed, bytes => seen.received(bytes))
    const reset = (why: string) => {
      reason ??= why
    }
    joinStream(tapped(stream, { sent, received, reset }), socket, () => {
      this.#joined.delete(socket)
      seen.over(reason)
    })
  }
}

const dialOf = ({ to, unix }: OutgoingCall): Dial =>
  unix === undefined ? { dial: 'tcp', to } : dialUnix(unix)

const dialUnix = ({ path, withinMs, seqpacket }: NonNullable<OutgoingCall['unix']>): Dial => ({
  ...{ dial: 'unix', path, withinMs, seqpacket },
})

/** What passes as frames is shown without their heads. */
function seenBy(isFramed: boolean, see: (bytes: Buffer) => void): (bytes: Buffer) => void {
  if (!isFramed) return see
  const unframer = new Unframer()
  return bytes => unframer.push(bytes).forEach(see)
}

const refusedTo = (call: OutgoingCall, seen: LeavingTaps) => (errno: string) => {
  seen.failed(errno)
  call.refused(errno)
}
