// Brings the agent's code to the bootstrap in a pod and waits until it runs; the exchange is drawn in protocol/agent/delivery.ts.
import { type KeyObject, sign } from 'node:crypto'
import type { Duplex } from 'node:stream'
import type * as t from 'io-ts'
import {
  type DeliveryOffer,
  type delivery,
  deliveryOffer,
  deliveryOutcome,
  type Platform,
  platforms,
} from '../../../protocol/agent/delivery.ts'
import { deliveryText } from '../../../protocol/agent/delivery-text.ts'
import { decode } from '../../../protocol/codec.ts'
import { Failure } from '../../../protocol/errors.ts'
import { toldFailure } from '../../told-failure.ts'
import { type AgentBundles, agentBundles } from './bundle.ts'
import { firstLine } from './first-line.ts'

export type DeliverOptions = {
  /** Its public half is in the bootstrap's arguments. */
  privateKey: KeyObject
  /** Of the agent program: "attach-pod" of protocol/agent/invocation.ts. */
  argv: readonly string[]
  signal: AbortSignal
  /** Called when the agent's code has gone out, and its word that it runs is all that is missing. */
  onSent?(): void
}

const ofOffer = { maxBytes: 4 << 10, timeoutMs: 10_000, missing: 'its bootstrap did not greet' }
/** For bundle and start together: the bootstrap takes 60 s for the first, entering a target is a matter of milliseconds. */
const ofOutcome = {
  maxBytes: 64 << 10,
  timeoutMs: 70_000,
  missing: 'it did not take its code and say that it runs',
}
const oldestNode = 20

/**
 * Resolves when the agent has entered its target and listens in the bootstrap's place; ends the connection either way. Rejects with
 * `agent-undeliverable`, with the signal's reason, or with what the agent says: `target-ended`, `agent-denied`, `agent-failed`...
 */
export async function deliver(connection: Duplex, options: DeliverOptions): Promise<void> {
  const { argv, privateKey, signal, onSent } = options
  connection.on('error', () => {})
  try {
    const bundles = await agentBundles()
    const offer = readOffer(await firstLine(connection, { ...ofOffer, signal }))
    const bundle = chooseBundle(offer, bundles)
    const header: t.TypeOf<typeof delivery> = {
      signature: sign(null, deliveryText(offer.nonce, argv), privateKey).toString('hex'),
      argv: [...argv],
      manifestBytes: bundles.manifest.length,
      bundleBytes: bundle.length,
    }
    // At most 2 MiB, so what the connection can't take at once may wait in memory.
    const parts = [Buffer.from(`${JSON.stringify(header)}\n`), bundles.manifest, bundle]
    connection.write(Buffer.concat(parts), error => {
      if (!error) onSent?.()
    })
    readOutcome(await firstLine(connection, { ...ofOutcome, signal }))
  } finally {
    connection.destroy()
  }
}

/** Throws `agent-undeliverable` when it is no offer of a bootstrap. */
export function readOffer(line: string): DeliveryOffer {
  const offer = decode(deliveryOffer, parsed(line))
  if (offer.ok && offer.value.standin === 1) return offer.value
  throw new Failure(
    'agent-undeliverable',
    {
      reason: 'what answers in its container is not the bootstrap of this version',
      fix: 'Start the session again',
    },
    { detail: line.slice(0, 200) },
  )
}

/** Throws `agent-undeliverable` with what about the image or node does not fit. */
export function chooseBundle({ platform, node }: DeliveryOffer, bundles: AgentBundles): Buffer {
  const major = Number(/^v(\d+)\./.exec(node)?.[1] ?? 0)
  if (major < oldestNode)
    throw new Failure('agent-undeliverable', {
      reason: `its image has Node.js ${node}`,
      fix: `Set agent.image to an image with Node.js ${oldestNode} or newer, such as "node:22-slim"`,
    })
  const bundle = isPlatform(platform) ? bundles.bundleFor(platform) : undefined
  if (bundle !== undefined) return bundle
  const offered = platforms.filter(name => bundles.bundleFor(name) !== undefined)
  throw new Failure('agent-undeliverable', {
    reason: `this build of standin has no agent for the platform ${platform}`,
    fix: `Set agent.image to an image for ${offered.join(', ')}; a checkout gets all of them by "npm run build" with the package registry in reach`,
  })
}

/** Throws what the agent failed with. */
export function readOutcome(line: string): void {
  const outcome = decode(deliveryOutcome, parsed(line))
  if (!outcome.ok)
    throw new Failure(
      'agent-undeliverable',
      {
        reason: 'its container answered something else than an outcome',
        fix: 'Start the session again',
      },
      { detail: line.slice(0, 200) },
    )
  if ('failure' in outcome.value)
    throw toldFailure(outcome.value.failure, {
      kind: 'agent-failed',
      values: { reason: 'it reported a failure' },
    })
}

function isPlatform(text: string): text is Platform {
  return (platforms as readonly string[]).includes(text)
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
