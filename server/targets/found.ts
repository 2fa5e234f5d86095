// What finding a target gives, wherever it lives: what it is, and how an agent is brought to it.
import type { KeyObject } from 'node:crypto'
import type { Duplex } from 'node:stream'
import type { Target } from '../../protocol/rpc/targets.ts'
import type { Log } from '../log.ts'

/** Called as each step of attaching begins, and again with the same name and another text while it waits for a stated reason. */
export type OnStep = (step: string, message: string) => void

/** A sentence that the user should see. */
export type Tell = (level: 'warning' | 'info', text: string) => void

export type AgentOptions = {
  sessionId: string
  /** Ed25519, made for this agent alone; the agent gets the public half. */
  privateKey: KeyObject
  publicKey: KeyObject
  /** How long the agent stays without a link. */
  graceMs: number
  /** Cancelled or failed, nothing of the agent is left. */
  signal: AbortSignal
  log: Log
  tell: Tell
  onStep: OnStep
  /** Of a Job in a cluster, where it is not the usual one: how often its lease is looked at, and how old it is when it is extended. */
  leaseTiming?: { lookMs: number; renewSeconds: number }
}

/** An agent that has entered its target and listens. */
export type Agent = {
  /** A connection to it; each try makes another one. */
  dial(signal: AbortSignal): Promise<Duplex>
  /** Resolves with the reason when the agent is gone, or can never be reached again; never rejects. */
  readonly gone: Promise<string>
  /** Whether it is to end by itself when it is asked over the link: nothing outside can end it, or it is kept for its log. */
  readonly mustBeAsked?: boolean
  /** Ends it, when the link is over; resolves when nothing of it is left, or it is certain that it ends by itself. */
  end(): Promise<void>
}

export type Found = {
  readonly target: Target
  /** How the target is called in texts for people: "pid 4711", "pod shop-7f9 (container web)". */
  readonly where: string
  /** What the user should know about the choice: which of several pods or containers was taken. */
  readonly notices: readonly string[]
  /** What an agent may take from the beginning until it answers; without it each step has its own limit. */
  readonly startupSeconds?: number
  startAgent(options: AgentOptions): Promise<Agent>
  /**
   * The target as it stands when its agent was lost or its process ended: the same process, or the pod that took the place of one that is
   * gone. Fails with `target-ended` or `target-gone` when there can be none, and with a retryable failure when there may be one later.
   */
  again(signal: AbortSignal): Promise<Found>
  /** Whether another process may take the place of one that ended (a restarted container, a new pod). */
  readonly lives: 'once' | 'again'
}
