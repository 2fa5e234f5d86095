// Connections that a forward asks the pod to make, until they stand: each waits for the agent's word, and for a link that is away.
import type { AgentEvent, Dial } from '../../protocol/agent/control.ts'
import type { LinkStream } from '../../protocol/link/link-stream.ts'

export type DialOutcome = {
  /** What the far end says waits in the stream until it is joined. */
  dialled(stream: LinkStream): void
  failed(errno: string): void
}

/** As long as connections of processes wait for a link that is down (server/outgoing). */
export const linkPatienceMs = 10_000

type Waiting = {
  payload: Dial
  outcome: DialOutcome
  /** Undefined while there is no agent to ask. */
  stream: LinkStream | undefined
  timer: NodeJS.Timeout | undefined
}

export class Dials {
  readonly #open: (payload: Dial) => LinkStream | undefined
  readonly #waiting = new Set<Waiting>()
  readonly #byStream = new Map<number, Waiting>()
  #linkIsDown = false

  /** `open` gives a stream to the agent, or undefined while there is none. */
  constructor(open: (payload: Dial) => LinkStream | undefined) {
    this.#open = open
  }

  /** The function that is returned gives the dial up; the outcome is told once, and not after that. */
  dial(payload: Dial, outcome: DialOutcome): () => void {
    const waiting: Waiting = { payload, outcome, stream: undefined, timer: undefined }
    this.#waiting.add(waiting)
    this.#ask(waiting)
    return () => {
      if (this.#forget(waiting)) waiting.stream?.reset('its near end gave it up')
    }
  }

  /** What the agent says of a dial, which may be another's than ours. */
  hear(event: Extract<AgentEvent, { event: 'dialled' | 'dialFailed' }>): void {
    const waiting = this.#byStream.get(event.stream)
    if (waiting?.stream === undefined) return
    const { stream, outcome } = waiting
    this.#forget(waiting)
    stream.events = undefined
    if (event.event === 'dialled') outcome.dialled(stream)
    else {
      stream.reset('the dial failed')
      outcome.failed(event.errno)
    }
  }

  setLink({ isDown }: { isDown: boolean }): void {
    this.#linkIsDown = isDown
    for (const waiting of this.#waiting) this.#bound(waiting)
  }

  /** Another agent is there; nothing has been said yet on what the one before was asked for. */
  renewed(): void {
    for (const waiting of this.#waiting) if (waiting.stream === undefined) this.#ask(waiting)
  }

  /** Nothing is told any more. */
  close(): void {
    for (const waiting of this.#waiting) {
      this.#forget(waiting)
      waiting.stream?.reset('the session ended')
    }
  }

  #ask(waiting: Waiting): void {
    const stream = this.#open(waiting.payload)
    waiting.stream = stream
    if (stream !== undefined) {
      this.#byStream.set(stream.id, waiting)
      stream.events = {
        data: ({ bytes }) => stream.grant(bytes.length),
        end: () => {},
        // The agent is gone, or the link for good; another agent may come in time.
        reset: () => {
          this.#unlist(waiting)
          waiting.stream = undefined
          this.#bound(waiting)
        },
      }
    }
    this.#bound(waiting)
  }

  /** An agent that is asked decides how long it takes; the wait for one is bounded. */
  #bound(waiting: Waiting): void {
    if (!this.#waiting.has(waiting)) return
    if (waiting.stream !== undefined && !this.#linkIsDown) {
      clearTimeout(waiting.timer)
      waiting.timer = undefined
      return
    }
    waiting.timer ??= setTimeout(() => {
      this.#forget(waiting)
      waiting.stream?.reset('the link is down')
      waiting.outcome.failed('ENETUNREACH')
    }, linkPatienceMs)
  }

  #forget(waiting: Waiting): boolean {
    clearTimeout(waiting.timer)
    this.#unlist(waiting)
    return this.#waiting.delete(waiting)
  }

  /** The next agent's streams have the same numbers. */
  #unlist(waiting: Waiting): void {
    const { stream } = waiting
    if (stream !== undefined && this.#byStream.get(stream.id) === waiting) this.#byStream.delete(stream.id)
  }
}
