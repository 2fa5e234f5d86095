// Brings the agent's code to a container that runs the bootstrap, from the moment it runs until the agent serves.
import type { Duplex } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { Failure } from '../../../protocol/errors.ts'
import { orAborted, settledWithin } from '../../deadline.ts'
import type { AgentOptions } from '../../targets/found.ts'
import { portForward } from '../channel/port-forward.ts'
import type { Api } from '../client/api.ts'
import { look, type Running } from './await-running.ts'
import { deliver } from './deliver.ts'
import { sandboxed } from './supported.ts'
import { type Place, podEnded } from './target-watch.ts'

/** Node.js takes this long to start listening, at most about a second on a busy node. */
const againMs = 50
/** Within this the node tells that a container has ended, when a connection to it broke. */
const endToldMs = 2_000

export type Address = { namespace: string; pod: string; port: number }

export type Bring = {
  api: Api
  address: Address
  place: Place
  options: AgentOptions
  running: Running
  ephemeral: boolean
}

/** Resolves when the agent has entered its target and serves; rejects with what hinders it. */
export async function bringAgent(bring: Bring): Promise<void> {
  const { options, place, running } = bring
  const { signal } = running
  const connection = await connectBootstrap(bring)
  try {
    await deliver(connection, { privateKey: options.privateKey, argv: agentArguments(bring), signal })
  } catch (thrown) {
    signal.throwIfAborted()
    if (!(thrown instanceof Failure)) throw thrown
    // The pod is chosen again then; a process that is looked for by its container ends with that container alone.
    if (thrown.kind === 'target-ended' || thrown.kind === 'agent-failed') {
      await toldWithin(running)
      const hidden = sandboxed(place.pod, thrown)
      if (hidden !== thrown || thrown.kind === 'agent-failed') throw hidden
      throw podEnded(place, `ended its container "${place.container.name}"`)
    }
    if (thrown.kind === 'agent-undeliverable' && thrown.cause !== undefined) await toldWithin(running)
    throw thrown
  }
}

/** Of "agent attach-pod", as protocol/agent/invocation.ts says. */
function agentArguments({ place, options, ephemeral }: Bring): string[] {
  const { name = '', uid = '' } = place.pod.metadata ?? {}
  const key = options.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  return [
    ...['attach-pod', place.container.id, '--pod', name, '--pod-uid', uid],
    ...['--session', options.sessionId, '--key', key, '--grace-ms', String(options.graceMs)],
    ...(ephemeral ? ['--ephemeral'] : []),
  ]
}

/** The container runs before what is in it listens: until then the connection is refused, and made again. */
async function connectBootstrap({ api, address, running }: Bring): Promise<Duplex> {
  const { signal, deadlineMs, timeoutSeconds } = running
  for (;;) {
    const outcome = await tryConnect(api, address, signal)
    signal.throwIfAborted()
    if (!(outcome instanceof Failure)) return outcome
    if (outcome.kind !== 'channel-failed' && outcome.kind !== 'cluster-refused') throw outcome
    look(running)
    if (performance.now() >= deadlineMs)
      throw new Failure(
        'agent-slow',
        { seconds: timeoutSeconds, reason: 'its container runs, but nothing answers in it' },
        { cause: outcome },
      )
    await pause(againMs, undefined, { signal })
  }
}

/** A connection on which the bootstrap has begun to speak. */
async function tryConnect(api: Api, address: Address, signal: AbortSignal): Promise<Duplex | Failure> {
  let connection: Duplex | undefined
  try {
    connection = await portForward(api, { ...address, signal })
    await orAborted(readable(connection), signal)
    return connection
  } catch (thrown) {
    connection?.destroy()
    if (thrown instanceof Failure) return thrown
    throw thrown
  }
}

function readable(connection: Duplex): Promise<void> {
  return new Promise((resolve, reject) => {
    const over = (error?: Error) => {
      finish()
      const reason = 'the connection closed before the bootstrap spoke'
      reject(error ?? new Failure('channel-failed', { verb: 'forward a port of', pod: 'the agent', reason }))
    }
    const ready = () => {
      // It is emitted for the end of the stream too.
      if (connection.readableLength === 0) return over()
      finish()
      resolve()
    }
    const ended = () => over()
    const finish = () => connection.off('readable', ready).off('close', ended).off('error', over)
    connection.on('readable', ready).on('close', ended).on('error', over)
  })
}

/** Throws the better reason, if the cluster tells one soon: the container crashed, the target's pod was deleted. */
async function toldWithin(running: Running): Promise<void> {
  const untilMs = performance.now() + endToldMs
  while (performance.now() < untilMs) {
    look(running)
    await settledWithin(running.follow.changed(endToldMs), Math.max(1, untilMs - performance.now()))
  }
}
