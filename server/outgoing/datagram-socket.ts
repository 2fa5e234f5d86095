// One UDP socket of a process that sends to the pod's world: an outlet for each peer here, and streams of the link to sockets of the pod.

import { endpointKey } from '../../protocol/address.ts'
import type { DialUdp } from '../../protocol/agent/control.ts'
import type { Endpoint } from '../../protocol/codec.ts'
import { type Datagram, DatagramReader, encodeDatagram } from '../../protocol/link/datagrams.ts'
import type { LinkStream } from '../../protocol/link/link-stream.ts'
import type { FlowTaps } from '../traffic/flow.ts'
import { Flows, type FlowWish } from './flows.ts'
import { Outlet } from './outlet.ts'

/** What may wait for the link; what the process sends while more waits is dropped, as a network does. */
const queueBytes = 1 << 20
/** Peers of one socket, and how many of them may be such as nobody sent to: anybody can send to a socket that is not connected. */
const outletLimit = 1_024
const strangerLimit = 256
/** Datagrams of a peer whose outlet is being made. */
const waitingLimit = 64
/** What a network may say of a datagram that a connected socket hears as ECONNREFUSED. */
const refusals: ReadonlySet<string> = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOPROTOOPT'])

/** Whoever knows of names looks at what is said to a nameserver and by it. */
export type NameTalk = {
  /** This machine's answer to a question that is not the pod's; undefined for all else. */
  asked(payload: Buffer): Promise<Buffer> | undefined
  /** Resolves when what an answer says is in force. */
  answered(payload: Buffer): Promise<void>
  /** The network says that a question did not arrive. */
  refused(errno: string): void
  /** The socket is gone. */
  close(): void
}

export type DatagramSocketOptions = {
  /** Undefined when the peer is no nameserver. */
  talkTo?(peer: Endpoint): NameTalk | undefined
  /** Whoever looks at what leaves. */
  viewFlow(wish: FlowWish): FlowTaps
  /** Where the process's socket is reached over loopback. */
  from: Endpoint
  /** A stream to the agent; undefined while there is none. */
  open(payload: DialUdp): LinkStream | undefined
  /** Resolves when the process will see the peer in the outlet's place. */
  added(outlet: { to: Endpoint; at: Endpoint }): Promise<void>
  /** Resolves when the process's socket has been told; the outlet is closed until then. */
  refused(): Promise<void>
  /** A sentence for the log. */
  onNotice(text: string): void
}

export class DatagramSocket {
  readonly flows: Flows
  readonly #outlets = new Map<string, Outlet>()
  /** With those of its peers that are nameservers. */
  readonly #talks = new Map<string, NameTalk>()
  /** Outlets that are being made for peers that were never sent to, with what has come of them. */
  readonly #coming = new Map<string, Buffer[]>()
  #making = 0
  #strangers = 0
  #streamToAll: LinkStream | undefined
  #peer: Endpoint | undefined
  #streamToPeer: LinkStream | undefined
  #refusing = false
  #dropped = 0
  #hasTold = false
  #isClosed = false

  constructor(readonly options: DatagramSocketOptions) {
    this.flows = new Flows(options.viewFlow)
  }

  /** An outlet for each of these peers. Rejects with a system error. */
  async outlets(to: readonly Endpoint[]): Promise<{ to: Endpoint; at: Endpoint }[]> {
    const found = await Promise.all(to.map(peer => this.#outlet(peer)))
    return found.map(outlet => ({ to: outlet.to, at: outlet.at }))
  }

  /** The stream that the agent answers with `dialled` or `dialFailed`; undefined without an agent. */
  connect(to: Endpoint): LinkStream | undefined {
    this.#peer = to
    this.#streamToPeer = this.#open({ dial: 'udp', to })
    return this.#streamToPeer
  }

  /** The agent is gone: another one opens streams of its own. */
  lost(): void {
    for (const stream of [this.#streamToAll, this.#streamToPeer]) stream?.reset('its agent is gone')
    this.#streamToAll = undefined
    this.#streamToPeer = undefined
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const outlet of this.#outlets.values()) outlet.close()
    for (const stream of [this.#streamToAll, this.#streamToPeer]) stream?.end()
    for (const talk of this.#talks.values()) talk.close()
    this.flows.close()
    if (this.#dropped > 0)
      this.options.onNotice(
        `${this.#dropped} datagrams of a process were dropped, because they came faster than the link took them or from too many peers`,
      )
  }

  async #outlet(to: Endpoint): Promise<Outlet> {
    const known = this.#outlets.get(endpointKey(to))
    if (known !== undefined) return known
    if (this.#outlets.size + this.#making >= outletLimit)
      throw Object.assign(new Error('too many peers'), { code: 'ENOBUFS' })
    const take = (outlet: Outlet, payload: Buffer) => this.#send(outlet, payload)
    this.#making += 1
    const made = await Outlet.open({ to, process: this.options.from, take }).finally(() => {
      this.#making -= 1
    })
    // Another call of the process, or the peer itself, may have been quicker.
    const other = this.#outlets.get(endpointKey(to))
    if (this.#isClosed || other !== undefined) made.close()
    if (other !== undefined) return other
    this.#outlets.set(endpointKey(to), made)
    return made
  }

  #open(payload: DialUdp): LinkStream | undefined {
    const stream = this.options.open(payload)
    if (stream === undefined) return undefined
    const reader = new DatagramReader()
    const forget = () => {
      if (this.#streamToAll === stream) this.#streamToAll = undefined
      if (this.#streamToPeer === stream) this.#streamToPeer = undefined
    }
    stream.events = {
      data: ({ bytes }) => {
        stream.grant(bytes.length)
        for (const { kind, peer, payload: said } of read(stream, reader, bytes))
          if (kind === 'datagram') this.#hear(peer, said)
          else this.#undelivered(peer, String(said))
      },
      // The agent ends what was idle for long; it is opened again when it is used again.
      end: () => {
        forget()
        stream.end()
      },
      reset: forget,
    }
    return stream
  }

  #send({ to }: Outlet, payload: Buffer): void {
    const talk = this.#talkTo(to)
    const answer = talk?.asked(payload)
    if (answer !== undefined) {
      void answer.then(
        bytes => this.#hear(to, bytes),
        () => this.#drop(),
      )
      return
    }
    const stream = this.#streamFor(to)
    const isLost = stream === undefined || stream.queuedBytes > queueBytes
    if (talk === undefined) this.flows.passed(to, flow => (isLost ? flow.lost() : flow.sent(payload.length)))
    if (isLost) this.#drop()
    else stream.write({ bytes: encodeDatagram(to, payload) })
  }

  #talkTo(peer: Endpoint): NameTalk | undefined {
    const known = this.#talks.get(endpointKey(peer))
    if (known !== undefined || this.#isClosed) return known
    const talk = this.options.talkTo?.(peer)
    if (talk !== undefined) this.#talks.set(endpointKey(peer), talk)
    return talk
  }

  #streamFor(to: Endpoint): LinkStream | undefined {
    if (this.#peer !== undefined && endpointKey(this.#peer) === endpointKey(to)) {
      this.#streamToPeer ??= this.#open({ dial: 'udp', to })
      return this.#streamToPeer
    }
    this.#streamToAll ??= this.#open({ dial: 'udp' })
    return this.#streamToAll
  }

  #drop(): void {
    this.#dropped += 1
  }

  #hear(peer: Endpoint, payload: Buffer): void {
    const talk = this.#talkTo(peer)
    if (talk === undefined) this.#pass(peer, payload)
    else
      void talk.answered(payload).then(
        () => this.#pass(peer, payload),
        () => this.#drop(),
      )
  }

  #pass(peer: Endpoint, payload: Buffer): void {
    if (this.#isClosed) return
    const outlet = this.#outlets.get(endpointKey(peer))
    const coming = this.#coming.get(endpointKey(peer))
    if (coming !== undefined) {
      if (coming.length < waitingLimit) coming.push(payload)
    } else if (outlet !== undefined) this.#give(outlet, payload)
    else if (this.#strangers >= strangerLimit) this.#drop()
    else void this.#introduce(peer, payload)
  }

  /** A peer that answers from another port than it was sent to, or that nobody sent to. */
  async #introduce(peer: Endpoint, payload: Buffer): Promise<void> {
    const coming = [payload]
    this.#strangers += 1
    this.#coming.set(endpointKey(peer), coming)
    try {
      const outlet = await this.#outlet(peer)
      await this.options.added({ to: peer, at: outlet.at })
      for (const one of coming) this.#give(outlet, one)
    } catch (thrown) {
      this.#strangers -= 1
      for (const _ of coming) this.#drop()
      this.#tellOnce(thrown)
    } finally {
      this.#coming.delete(endpointKey(peer))
    }
  }

  #give(outlet: Outlet, payload: Buffer): void {
    outlet.send(payload)
    if (this.#talks.has(endpointKey(outlet.to))) return
    this.flows.passed(outlet.to, flow => flow.received(payload.length))
  }

  #tellOnce(thrown: unknown): void {
    if (this.#hasTold) return
    this.#hasTold = true
    const why = thrown instanceof Error ? thrown.message : String(thrown)
    this.options.onNotice(`Datagrams for a process were dropped: ${why}`)
  }

  #undelivered(peer: Endpoint, errno: string): void {
    const talk = this.#talkTo(peer)
    if (talk !== undefined) talk.refused(errno)
    else if (this.#outlets.has(endpointKey(peer))) this.flows.passed(peer, flow => flow.undelivered(errno))
    if (refusals.has(errno)) this.#refuse(peer)
  }

  #refuse(peer: Endpoint): void {
    const outlet = this.#outlets.get(endpointKey(this.#peer ?? peer))
    if (this.#peer === undefined || outlet === undefined || this.#refusing) return
    this.#refusing = true
    outlet
      .refuse(() => this.options.refused())
      .catch(thrown => this.options.onNotice(`A UDP socket of a process was given up: ${thrown}`))
      .finally(() => {
        this.#refusing = false
        if (this.#isClosed) outlet.close()
      })
  }
}

function read(stream: LinkStream, reader: DatagramReader, bytes: Buffer): Datagram[] {
  try {
    return reader.read(bytes)
  } catch (thrown) {
    stream.reset(String(thrown))
    return []
  }
}
