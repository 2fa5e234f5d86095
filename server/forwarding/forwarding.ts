// The ports of one session that need no hooks: forwards into the pod's network, and ports of the pod that are mirrored to ports of this machine.
import type { AgentEvent, Dial } from '../../protocol/agent/control.ts'
import { Failure } from '../../protocol/errors.ts'
import type { LinkStream } from '../../protocol/link/link-stream.ts'
import type { ListeningAt, LocalEnd, PodEnd, SessionPorts } from '../../protocol/rpc/port-ends.ts'
import { isTargetless } from '../../protocol/targetless.ts'
import type { Client } from '../rpc/client.ts'
import { checkForward } from './check.ts'
import { Dials } from './dials.ts'
import { Forward } from './forward.ts'
import { listenAt } from './listen.ts'
import { Reverses } from './reverses.ts'

export type ForwardingOptions = {
  sessionId: string
  target: string
  client: Pick<Client, 'show' | 'log'>
  /** A stream to the agent; undefined while there is none. */
  open(payload: Dial): LinkStream | undefined
  /** Ports that the pod listens on. */
  podPorts(): readonly number[]
  /** Other ports of the pod are to be captured. */
  onReversed(): void
}

export class Forwarding {
  readonly reverses: Reverses
  readonly #options: ForwardingOptions
  readonly #dials: Dials
  readonly #forwards = new Map<string, { forward: Forward; local: ListeningAt; remote: PodEnd }>()
  #lastId = 0
  #over = false

  constructor(options: ForwardingOptions) {
    this.#options = options
    this.#dials = new Dials(options.open)
    this.reverses = new Reverses(options.sessionId, () => options.onReversed())
  }

  /** The ports that are open. */
  get open(): SessionPorts {
    const forwards = [...this.#forwards].map(([portId, { local, remote }]) => ({ portId, local, remote }))
    return { forwards, reverses: this.reverses.all }
  }

  /** Throws `params-invalid`, `listen-failed` or `session-not-running`. */
  async forward(
    { local = { port: 0 }, remote }: { local?: LocalEnd | undefined; remote: PodEnd },
    signal: AbortSignal,
  ): Promise<{ portId: string; local: ListeningAt }> {
    checkForward({ local, remote })
    const { sessionId, client } = this.#options
    const { server, at } = await listenAt(local)
    if (this.#over || signal.aborted) {
      server.close()
      signal.throwIfAborted()
      throw new Failure('session-not-running', { sessionId, state: 'stopped' })
    }
    this.#lastId += 1
    const portId = `${sessionId}-f${this.#lastId}`
    const forward = new Forward({
      ...{ server, remote, dials: this.#dials },
      onRefused: text => client.show('warning', text),
      onNotice: text => client.log('warning', text),
    })
    this.#forwards.set(portId, { forward, local: at, remote })
    return { portId, local: at }
  }

  /** Throws `port-mirrored`, or `nothing-arrives` where there is no pod to copy from. */
  reverse(podPort: number, localPort: number): string {
    if (isTargetless(this.#options.target)) throw new Failure('nothing-arrives', {})
    const portId = this.reverses.add(podPort, localPort)
    if (!this.#options.podPorts().includes(podPort))
      this.#options.client.show('warning', `Nothing in the pod listens on port ${podPort} yet`)
    return portId
  }

  /** False if it has no such port. */
  closePort(portId: string): boolean {
    this.#forwards.get(portId)?.forward.close()
    return this.#forwards.delete(portId) || this.reverses.close(portId)
  }

  hear(event: Extract<AgentEvent, { event: 'dialled' | 'dialFailed' }>): void {
    this.#dials.hear(event)
  }

  setLink(link: { isDown: boolean }): void {
    this.#dials.setLink(link)
  }

  /** Another agent is there. */
  renewed(): void {
    this.#dials.renewed()
  }

  close(): void {
    this.#over = true
    for (const { forward } of this.#forwards.values()) forward.close()
    this.#forwards.clear()
    this.#dials.close()
    this.reverses.end()
  }
}
