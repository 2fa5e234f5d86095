// What went wrong, in the one shape that every client shows: from an answer of the server, a Failure of ours, or anything thrown.
import type { Blame } from '../../protocol/error-table.ts'
import { asFailure } from '../../protocol/errors.ts'

export type ReportedError = {
  code: number
  kind: string
  blame: Blame
  retryable: boolean
  message: string
  fix: string
  detail?: string | undefined
}

/** An error that the server answered a request with. */
export class AnsweredError extends Error {
  override readonly name = 'AnsweredError'
  constructor(readonly report: ReportedError) {
    super(report.message)
  }
}

/** The error object of an answer (JSON-RPC 2.0 section 5.1), whose `data` is that of protocol/errors.ts if the server is ours. */
export function answeredError(code: number, message: string, data: unknown): AnsweredError {
  const given = (typeof data === 'object' && data !== null ? data : {}) as Partial<ReportedError>
  return new AnsweredError({
    code,
    kind: given.kind ?? 'internal',
    blame: given.blame ?? 'standin',
    retryable: given.retryable ?? false,
    message,
    fix: given.fix ?? 'Report it with the output of "standin exec -v"',
    ...(given.detail === undefined ? {} : { detail: given.detail }),
  })
}

/** `what` names the work that failed, for errors that are no Failure. */
export function reportedError(thrown: unknown, what: string): ReportedError {
  if (thrown instanceof AnsweredError) return thrown.report
  const { code, message, data } = asFailure(thrown, what)
  return { code, message, ...data }
}
