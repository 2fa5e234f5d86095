// A failure as it is told to the server, on standard output or over the link: by its kind and values, which the table makes a sentence of.
import type { Failure } from '../protocol/errors.ts'

export type Told = { kind: string; values: Record<string, string | number>; detail?: string }

export function toldFailure({ kind, values, data: { detail } }: Failure): Told {
  return { kind, values: { ...values }, ...(detail === undefined ? {} : { detail }) }
}
