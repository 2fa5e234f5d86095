// A failure of standin: a row of the table of errors, filled with the values of the case.
import { type Blame, errorTable, type Row } from './error-table.ts'

export type ErrorKind = keyof typeof errorTable

/** What a JSON-RPC error carries as `data`. */
export type ErrorData = { kind: ErrorKind; blame: Blame; retryable: boolean; fix: string; detail?: string }

function fill(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole))
}

/** A failure with its row of the table; `detail` holds what helps to find the cause, never a secret; `retryable` if the case says otherwise than the row. */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly code: number
  readonly data: ErrorData
  constructor(
    readonly kind: ErrorKind,
    readonly values: Readonly<Record<string, string | number>> = {},
    options: { cause?: unknown; detail?: string; retryable?: boolean } = {},
  ) {
    const row: Row = errorTable[kind]
    super(fill(row.message, values), 'cause' in options ? { cause: options.cause } : {})
    this.code = row.code
    const detail = options.detail ?? (options.cause instanceof Error ? options.cause.message : undefined)
    this.data = {
      kind,
      blame: row.blame,
      retryable: options.retryable ?? row.retryable,
      fix: fill(row.fix, values),
      ...(detail === undefined ? {} : { detail }),
    }
  }
}

/** The failure itself, or an `internal` one around whatever else was thrown. */
export function asFailure(thrown: unknown, what: string): Failure {
  return thrown instanceof Failure
    ? thrown
    : new Failure(
        'internal',
        { what },
        { cause: thrown, detail: String(thrown instanceof Error ? thrown.message : thrown) },
      )
}
