// The agent's standard output: one JSON object a line, and nothing else ever.
import { writeSync } from 'node:fs'
import { asFailure } from '../protocol/errors.ts'
import { toldFailure } from './told.ts'

/** Writes the whole line before it returns, so that a process that ends right after has said it. */
export function printLine(value: object): void {
  let rest = Buffer.from(`${JSON.stringify(value)}\n`)
  while (rest.length > 0) rest = rest.subarray(write(rest))
}

export function printFailure(thrown: unknown, what: string): void {
  printLine({ failure: toldFailure(asFailure(thrown, what)) })
}

/** A pipe that is full and was made non-blocking by its reader answers EAGAIN: then a moment later. */
function write(bytes: Buffer): number {
  try {
    return writeSync(1, bytes)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    Atomics.wait(pause, 0, 0, 5)
    return 0
  }
}

const pause = new Int32Array(new SharedArrayBuffer(4))
