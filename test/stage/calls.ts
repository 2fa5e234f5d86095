// A conversation with test/programs/calls.py: one socket call at a time, made by a real program.
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { Mailbox } from './mailbox.ts'

export type CallResult = unknown

export class Calls {
  readonly #answers = new Mailbox<string>()
  readonly #child: ChildProcess

  constructor(child: ChildProcess) {
    this.#child = child
    createInterface({ input: child.stdout! }).on('line', line => this.#answers.add(line))
  }

  /** Makes the call; a failed one gives `{errno: "EADDRINUSE"}`. */
  async make(call: string, name: string, ...rest: unknown[]): Promise<CallResult> {
    if (!this.#answers.has(line => line === '"begun"'))
      await this.#answers.take('calls.py', line => line === '"begun"')
    this.#child.stdin!.write(`${JSON.stringify([call, name, ...rest])}\n`)
    return JSON.parse(await this.#answers.take(`result of ${call}`, line => line !== '"begun"'))
  }
}
