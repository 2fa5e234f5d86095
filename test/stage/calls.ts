// A conversation with test/programs/calls.py: one socket call at a time, made by a real program.
import type { Writable } from 'node:stream'
import type { Lines } from './lines.ts'

export class Calls {
  readonly #input: Writable
  readonly #output: Lines
  #made = 0

  constructor(program: { input: Writable; output: Lines }) {
    this.#input = program.input
    this.#output = program.output
  }

  /** Makes the call; a failed one gives `{errno: "EADDRINUSE"}`. */
  async make(call: string, name: string, ...rest: unknown[]): Promise<unknown> {
    const index = ++this.#made
    this.#input.write(`${JSON.stringify([call, name, ...rest])}\n`)
    // The first line says that the program has begun.
    await this.#output.untilCount(`lines up to the result of ${call}`, index + 1, () => true)
    return JSON.parse(this.#output.all[index]!)
  }
}
