// Connections of processes to the pod's nameservers: their questions go there by the link, and the answers come back.
import type { Socket } from 'node:net'
import type { Dial } from '../../protocol/agent/control.ts'
import type { Endpoint } from '../../protocol/codec.ts'
import { resetSocket } from '../../protocol/link/join.ts'
import type { LinkStream } from '../../protocol/link/link-stream.ts'
import type { OutgoingCall } from '../outgoing/outgoing.ts'
import type { LookupSink } from '../traffic/traffic.ts'
import { Lookups } from './lookups.ts'
import { carryTalk, type TalkOptions } from './talk.ts'

export type QuestionsOptions = {
  /** A stream to the agent; undefined while there is none. */
  open(payload: Dial): LinkStream | undefined
  /** The other end of a process's connection that is in progress. */
  complete(from: Endpoint): Promise<Socket>
  /** The process's connect gives that errno. */
  refuse(call: OutgoingCall, errno: string): void
  readonly sink: LookupSink
} & Pick<TalkOptions, 'choose' | 'learned'>

/** A resolver that is reset asks the same nameserver again at once, and tells its program what that connect gives. */
const rememberedMs = 1_000
const remembered: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'])

/** Connections to nameservers stand at once, for nothing is dialled before there is a question. */
export class Questions {
  readonly #options: QuestionsOptions
  readonly #sockets = new Set<Socket>()
  /** By nameserver, what the last question met with there; told once. */
  readonly #met = new Map<string, { errno: string; untilMs: number }>()
  #closed = false

  constructor(options: QuestionsOptions) {
    this.#options = options
  }

  /** `own` is what the process sees as its own address, and `withinMs` what a question may take. Without an agent it is refused. */
  async connect(call: OutgoingCall, { own, withinMs }: { own: Endpoint; withinMs: number }): Promise<void> {
    const errno = this.#takeMet(call.to.address)
    if (errno !== undefined) return this.#options.refuse(call, errno)
    const stream = this.#closed ? undefined : this.#options.open({ dial: 'names', to: call.to, withinMs })
    if (stream === undefined) return this.#options.refuse(call, 'ENETUNREACH')
    try {
      await call.dialled(own)
      const socket = await this.#options.complete(call.from)
      this.#sockets.add(socket)
      carryTalk(stream, socket, {
        ...this.#options,
        lookups: new Lookups({ nameserver: call.to, protocol: 'tcp', sink: this.#options.sink }),
        withinMs,
        failed: reason => this.#remember(call.to.address, reason),
        over: () => this.#sockets.delete(socket),
      })
      call.established()
    } catch {
      // Whoever closes its socket before the relay completes it has given it up.
      stream.reset('the process gave it up')
      call.refused('ECONNABORTED')
    }
  }

  close(): void {
    this.#closed = true
    for (const socket of this.#sockets) resetSocket(socket)
  }

  #remember(address: string, reason: string): void {
    if (remembered.has(reason))
      this.#met.set(address, { errno: reason, untilMs: performance.now() + rememberedMs })
  }

  #takeMet(address: string): string | undefined {
    const met = this.#met.get(address)
    this.#met.delete(address)
    return met !== undefined && performance.now() < met.untilMs ? met.errno : undefined
  }
}
