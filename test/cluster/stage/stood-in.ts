// A session at a workload whose local program prints what callers send: what it got, where the session stands, and its end.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type StandinRun, type StandinRuns, untilCapturedBy } from './session-run.ts'

export type StoodIn = {
  readonly run: StandinRun
  /** Of the pod that was taken. */
  readonly pod: string
  readonly address: string
  /** What the program saw of the variable that it was asked for. */
  readonly variable: string
  /** Waits until the bytes of one connection have all these parts, in this order. */
  untilGot(what: string, ...parts: string[]): Promise<void>
  /** Waits for this many connections whose bytes have the part. */
  untilCount(what: string, count: number, part: string): Promise<void>
  /** Ends it as `kill` does, and fails unless it ends well. */
  end(): Promise<void>
}

export type StandAt = {
  namespace: string
  target: string
  port: number
  /** Name of a variable that the workload has. */
  variable: string
  args?: readonly string[]
}

/** Resolves when the port is captured. */
export async function standIn(runs: StandinRuns, at: StandAt): Promise<StoodIn> {
  const { port, variable, args = [] } = at
  const program = join(import.meta.dirname, 'print-bytes.cjs')
  const command = [process.execPath, program, String(port), variable]
  const run = runs.exec(at, command, { args: ['-v', ...args] })
  const ready = await run.stderr.until('the session', line => line.includes('standing in for'), 60_000)
  const [, pod = '', address = ''] = /\((\S+), (\S+?);/.exec(ready) ?? []
  await untilCapturedBy(run, port)
  const told = await run.stdout.until('the variable', line => line.startsWith(`${variable}=`))
  const of = (line: string) => /^(\d+) (".*")$/.exec(line)
  /** Bytes by connection, of the lines so far. */
  const connections = () => {
    const bytes = new Map<string, string>()
    for (const line of run.stdout.all) {
      const [, number = '', text] = of(line) ?? []
      if (text !== undefined) bytes.set(number, (bytes.get(number) ?? '') + JSON.parse(text))
    }
    return [...bytes.values()]
  }
  return {
    ...{ run, pod, address, variable: told.slice(variable.length + 1) },
    async untilGot(what, ...parts) {
      const all = (text: string) => {
        let from = 0
        return parts.every(part => {
          const at = text.indexOf(part, from)
          from = at + part.length
          return at >= 0
        })
      }
      await run.stdout.until(what, () => connections().some(all), 20_000)
    },
    async untilCount(what, count, part) {
      const enough = () => connections().filter(text => text.includes(part)).length >= count
      await run.stdout.until(`${count} of ${what}`, enough, 20_000)
    },
    async end() {
      run.child.kill('SIGTERM')
      assert.equal(await run.code, 0, run.stderr.all.join('\n'))
    },
  }
}
