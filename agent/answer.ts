// Answers the server's requests over the link: what the target is, what to capture, how the capture goes.
import {
  type AgentAnswer,
  type AgentRequest,
  agentRequest,
  type CaptureCounters,
  type TargetFacts,
} from '../protocol/agent/control.ts'
import { decode } from '../protocol/codec.ts'
import { asFailure, Failure } from '../protocol/errors.ts'
import type { Mirror } from './incoming/mirror.ts'
import { toldFailure } from './told.ts'

export type AnswerOptions = {
  facts(): TargetFacts
  /** Made at the first subscription, so that a session that mirrors nothing needs no right to capture. */
  mirror(): Mirror
  counters(): Promise<CaptureCounters>
  reply(answer: AgentAnswer): void
  /** Ends the agent at once. */
  end(): never
  /** Makes of what a request failed with what the user should hear. */
  explain(thrown: unknown): unknown
  log(text: string): void
}

/** Takes control frames; each request is answered exactly once, with its id. */
export function createAnswerer(options: AnswerOptions): (value: unknown) => void {
  return value => {
    const id = idOf(value)
    if (id === undefined) return options.log('a control frame without an id was ignored')
    const request = decode(agentRequest, value)
    const answer = request.ok
      ? Promise.resolve(request.value).then(checked => answerRequest(checked, options))
      : Promise.reject(new Failure('frame-invalid', { reason: request.faults.join('; ') }))
    answer
      .then(
        (found): AgentAnswer => ({ id, value: found }),
        (thrown: unknown): AgentAnswer => ({
          id,
          failure: toldFailure(asFailure(options.explain(thrown), 'a request to the agent')),
        }),
      )
      .then(options.reply)
      .catch((error: unknown) => options.log(`an answer could not be sent: ${String(error)}`))
  }
}

async function answerRequest(
  request: AgentRequest,
  { facts, mirror, counters, end }: AnswerOptions,
): Promise<Record<string, unknown>> {
  switch (request.ask) {
    case 'describe':
      return facts()
    case 'subscribe': {
      const { ports, answers } = request
      await mirror().subscribe({ ports, answers, loopbackOnly: facts().sidecar !== undefined })
      return {}
    }
    case 'end':
      return end()
    case 'counters':
      return counters()
  }
}

function idOf(value: unknown): number | undefined {
  const id = (value as { id?: unknown } | null)?.id
  return Number.isSafeInteger(id) && (id as number) >= 0 ? (id as number) : undefined
}
