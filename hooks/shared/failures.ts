// Failures as plain values, so that they can pass between threads and to the server.
import { asFailure, Failure } from '../../protocol/errors.ts'
import type { PlainFailure } from './threads.ts'

export function plainFailure(thrown: unknown): PlainFailure {
  const { kind, values, data } = asFailure(thrown, 'hook')
  return { kind, values: { ...values }, ...(data.detail === undefined ? {} : { detail: data.detail }) }
}

export const failureFrom = ({ kind, values, detail }: PlainFailure): Failure =>
  new Failure(kind, values, detail === undefined ? {} : { detail })
