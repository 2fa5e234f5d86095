// Brings the agent's code to a container that runs the bootstrap, from the moment it runs until the agent serves.
import { Failure } from '../../../protocol/errors.ts'
import { settledWithin } from '../../deadline.ts'
import type { AgentOptions } from '../../targets/found.ts'
import { told } from '../../targets/narrate.ts'
import type { Api } from '../client/api.ts'
import { look, type Running } from './await-running.ts'
import { type Address, connectBootstrap } from './connect-bootstrap.ts'
import { deliver } from './deliver.ts'
import { sandboxed } from './supported.ts'
import { lossNow, type Place, podEnded } from './target-watch.ts'

/** Within this the node tells that a container has ended, when a connection to it broke. */
const endToldMs = 2_000
/** A container that has just been started refuses its first connections, which is nothing to tell. */
const quietMs = 1_000

export type Bring = {
  api: Api
  address: Address
  /** Undefined without a target: the agent then stays where it is. */
  place: Place | undefined
  options: AgentOptions
  running: Running
  ephemeral: boolean
}

/** Resolves when the agent has entered its target and serves; rejects with what hinders it, at the latest at the deadline. */
export async function bringAgent(bring: Bring): Promise<void> {
  const { running } = bring
  const late = new AbortController()
  const bringing = new Bringing(bring, AbortSignal.any([running.signal, late.signal]))
  const leftMs = Math.max(0, running.deadlineMs - performance.now())
  const timer = setTimeout(() => late.abort(bringing.tooSlow()), leftMs)
  try {
    await told(bringing.run(), running.narrator, 'deliver', () => bringing.doing)
  } catch (thrown) {
    running.signal.throwIfAborted()
    if (!late.signal.aborted) throw await bringing.explained(thrown)
    look(running)
    throw late.signal.reason
  } finally {
    clearTimeout(timer)
  }
}

class Bringing {
  /** What it does, for the progress. */
  doing: string
  /** Why it is not further, for the end. */
  #lack = 'nothing in it has answered'
  readonly #bring: Bring
  readonly #signal: AbortSignal

  constructor(bring: Bring, signal: AbortSignal) {
    this.#bring = bring
    this.#signal = signal
    this.doing = `delivering the agent to pod ${bring.address.pod}`
  }

  async run(): Promise<void> {
    const { api, address, options, running } = this.#bring
    const { doing } = this
    const sinceMs = performance.now()
    const connection = await connectBootstrap(api, address, {
      signal: this.#signal,
      onRefused: reason => {
        look(running)
        this.#lack = reason
        if (performance.now() - sinceMs > quietMs) this.doing = `${doing}: ${reason}`
      },
    })
    this.doing = `sending the agent's code to pod ${address.pod}`
    this.#lack = "the agent's code could not be sent to it in that time"
    await deliver(connection, {
      privateKey: options.privateKey,
      argv: agentArguments(this.#bring),
      signal: this.#signal,
      onSent: () => {
        const enter = this.#bring.place === undefined ? 'serve' : 'enter its target'
        this.doing = `waiting for the agent to ${enter}`
        this.#lack = `the agent in it has not said that it could ${enter}`
      },
    })
  }

  tooSlow(): Failure {
    const { timeoutSeconds: seconds } = this.#bring.running
    return new Failure('agent-slow', { seconds, reason: `its container runs, but ${this.#lack}` })
  }

  /** What the cluster knows better than the broken connection, or the agent that found no process. */
  async explained(thrown: unknown): Promise<unknown> {
    const { api, place, running } = this.#bring
    if (!(thrown instanceof Failure)) return thrown
    const { kind, cause } = thrown
    if (kind === 'agent-undeliverable' && cause !== undefined) await toldWithin(running)
    if (place === undefined || (kind !== 'target-ended' && kind !== 'agent-failed')) return thrown
    await toldWithin(running)
    const loss = await lossNow(api, place, this.#signal)
    if (loss !== undefined) return podEnded(place, loss)
    // The pod is chosen again then; a process that is looked for by its container ends with that container alone.
    const ended = kind === 'target-ended'
    return sandboxed(
      place.pod,
      ended ? podEnded(place, `ended its container "${place.container.name}"`) : thrown,
    )
  }
}

/** Of "agent attach-pod" or "agent attach-own", as protocol/agent/invocation.ts says. */
function agentArguments({ place, options, ephemeral }: Bring): string[] {
  const key = options.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  const service = ['--session', options.sessionId, '--key', key, '--grace-ms', String(options.graceMs)]
  if (place === undefined) return ['attach-own', ...service]
  const { name = '', uid = '' } = place.pod.metadata ?? {}
  return [
    ...['attach-pod', place.container.id, '--pod', name, '--pod-uid', uid, ...service],
    ...(ephemeral ? ['--ephemeral'] : []),
  ]
}

/** Throws the better reason, if the cluster tells one soon: the container crashed, the target's pod was deleted. */
async function toldWithin(running: Running): Promise<void> {
  const untilMs = performance.now() + endToldMs
  while (performance.now() < untilMs) {
    look(running)
    await settledWithin(running.follow.changed(endToldMs), Math.max(1, untilMs - performance.now()))
  }
}
