// Keeps an agent in a session's target: the first one, another when it is lost, and one in the pod that took the place of the first.
import type { AgentEvent } from '../../protocol/agent/control.ts'
import type { LinkStream } from '../../protocol/link/link-stream.ts'
import type { Log } from '../log.ts'
import type { Found, OnStep, Tell } from '../targets/found.ts'
import type { AgentTalk } from './agent-talk.ts'
import { type Attachment, attach } from './attachment.ts'
import { endingOf, reattach, reattachMs } from './reattach.ts'
import { Startup } from './startup.ts'

export type HoldEvents = {
  /** What the agent tells; its target's end only when nothing takes the target's place. */
  event(event: AgentEvent): void
  open(stream: LinkStream, payload: unknown): void
  reconnecting(reason: string, attempt: number): void
  running(): void
  /** Another agent holds the target; it knows of nothing that was asked of the one before. */
  renewed(talk: AgentTalk): void
  /** The session goes on in another pod or container. */
  moved(where: string): void
  /** Nothing can be held any more. */
  lost(state: 'stopped' | 'failed', reason: string): void
}

const lastCopiesMs = 500

export type HoldOptions = {
  sessionId: string
  signal: AbortSignal
  log: Log
  tell: Tell
  events: HoldEvents
}

export class Hold {
  readonly #options: HoldOptions
  #found: Found | undefined
  #attachment: Attachment | undefined
  #generation = 0
  /** What is under way, which must have undone itself before the session is over. */
  #work: Promise<void> = Promise.resolve()

  constructor(options: HoldOptions) {
    this.#options = options
  }

  /** Undefined while no agent is there. */
  get talk(): AgentTalk | undefined {
    return this.#attachment?.talk
  }

  /** A stream to the agent, if there is one. */
  stream(payload: object): LinkStream | undefined {
    return this.#attachment?.stream(payload)
  }

  /** Resolves when what is under way has ended; after the signal aborted that is when it has undone itself. */
  get settled(): Promise<void> {
    return this.#work
  }

  /** The first agent. Cancelled or failed, nothing of it is left. */
  async start(found: Found, onStep: OnStep, startup: Startup): Promise<AgentTalk> {
    this.#found = found
    const attachment = await this.#attach(found, onStep, startup)
    this.#attachment = attachment
    return attachment.talk
  }

  async end(reason: string): Promise<void> {
    const attachment = this.#attachment
    this.#attachment = undefined
    await attachment?.end(reason)
  }

  #attach(found: Found, onStep: OnStep, startup: Startup): Promise<Attachment> {
    const generation = this.#generation++
    const { sessionId, signal, log, tell, events } = this.#options
    return attach({
      found,
      onStep,
      startup,
      sessionId,
      signal,
      log,
      tell,
      events: {
        event: event => (event.event === 'targetEnded' ? this.#targetEnded(event) : events.event(event)),
        open: (stream, payload) => events.open(stream, ofGeneration(payload, generation)),
        running: () => events.running(),
        reconnecting: (reason, attempt) => events.reconnecting(reason, attempt),
        lost: reason => {
          this.#attachment = undefined
          this.#begin(() => this.#recover(reason))
        },
      },
    })
  }

  /** What was captured before the end is still on its way, and control frames go ahead of it. */
  #targetEnded(event: AgentEvent & { event: 'targetEnded' }): void {
    const { events } = this.#options
    const follow = () => this.#begin(() => this.#follow("the target's process ended"))
    if (this.#found?.lives === 'again' && this.#attachment !== undefined)
      setTimeout(follow, lastCopiesMs).unref()
    else events.event(event)
  }

  #begin(work: () => Promise<void>): void {
    // While the session starts, the question that is open fails, and with it the start.
    if (!this.#options.signal.aborted) this.#work = this.#work.then(work)
  }

  async #follow(reason: string): Promise<void> {
    if (this.#options.signal.aborted) return
    this.#options.events.reconnecting(reason, 0)
    await this.end(reason)
    await this.#recover(reason)
  }

  /** The commands run on meanwhile. */
  async #recover(reason: string): Promise<void> {
    const { signal, events } = this.#options
    const found = this.#found
    if (signal.aborted || found === undefined || this.#attachment !== undefined) return
    const outcome = await reattach({
      signal,
      forMs: reattachMs[found.lives],
      attach: () => this.#again(found),
      onAttempt: attempt => events.reconnecting(reason, attempt),
    })
    if (signal.aborted) return outcome.attachment?.end('the session ended')
    if (outcome.failure !== undefined) {
      const { state, reason: why } = endingOf(outcome.failure)
      return events.lost(state, why)
    }
    this.#attachment = outcome.attachment
    events.running()
    events.renewed(outcome.attachment.talk)
  }

  async #again(before: Found): Promise<Attachment> {
    const next = await before.again(this.#options.signal)
    const attachment = await this.#attach(next, () => {}, new Startup(next.startupSeconds))
    this.#found = next
    if (next.where !== before.where) this.#options.events.moved(next.where)
    return attachment
  }
}

/** Ids of connections are unique for one agent; a second agent of the session must not repeat them. */
function ofGeneration(payload: unknown, generation: number): unknown {
  if (generation === 0 || typeof payload !== 'object' || payload === null || !('connection' in payload))
    return payload
  return { ...payload, connection: `${generation}-${String(payload.connection)}` }
}
