// Makes a failure that another program of standin told us, as kind and values, a Failure again.
import { errorTable } from '../protocol/error-table.ts'
import { type ErrorKind, Failure } from '../protocol/errors.ts'

export type ToldFailure = {
  kind: string
  values: Readonly<Record<string, string | number>>
  detail?: string | undefined
}

/** A kind that the table does not know becomes `otherwise`, with what was told as its detail. */
export function toldFailure(
  { kind, values, detail }: ToldFailure,
  otherwise: { kind: ErrorKind; values: Readonly<Record<string, string | number>> },
): Failure {
  const options = detail === undefined ? {} : { detail }
  if (Object.hasOwn(errorTable, kind)) return new Failure(kind as ErrorKind, values, options)
  return new Failure(otherwise.kind, otherwise.values, { detail: `${kind} ${JSON.stringify(values)}` })
}
