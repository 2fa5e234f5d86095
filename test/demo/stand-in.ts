// One run of "standin exec" in the demo: starts the second shop under it, and collects what the second shop gets.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { programPath } from '../../protocol/programs.ts'
import { Lack } from './lack.ts'
import { type Records, recordsOf } from './records.ts'
import { sentenceOf } from './requirements.ts'
import { programOf } from './town.ts'

/** What the second shop prints: first that it is ready, then one record a request. */
type Printed = { ready: string } | Arrival

export type Arrival = { method: string; item: string; caller: string }

export type StandIn = {
  /** SHOP_REGION as the second shop has it. */
  readonly region: string
  arrivals(): Arrival[]
  readonly printed: Records<Printed>
  /** Ends it as a user would, with a signal, and resolves with its exit code. */
  end(): Promise<number | null>
}

/** Who is told what happens as it happens. */
export type Listener = {
  started(command: string): void
  /** A line that "standin exec" says on standard error. */
  said(line: string): void
  arrived(arrival: Arrival): void
}

/** Resolves when the second shop serves; rejects with a `Lack` when standin says that it cannot run here. */
export async function startStandIn(target: string, listener: Listener): Promise<StandIn> {
  const words = ['exec', '-t', target, '--', process.execPath, programOf('second-shop.cjs')]
  listener.started(`standin exec -t ${target} -- node second-shop.cjs`)
  const child = spawn(process.execPath, [programPath('standin'), ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const printed = recordsOf<Printed>(child.stdout, record => {
    if ('method' in record) listener.arrived(record)
  })
  const said = recordsOf<string>(child.stderr, listener.said, line => line)
  try {
    await Promise.race([
      printed.until('the second shop', () => printed.all.length > 0),
      // "close" comes when all that it said has been read.
      once(child, 'close').then(([code]) => {
        throw refusal(code, said.all)
      }),
    ])
    return {
      printed,
      region: (printed.all[0] as { ready: string }).ready,
      arrivals: () => printed.all.filter(record => 'method' in record),
      end: () => endOf(child),
    }
  } catch (thrown) {
    await endOf(child)
    throw thrown
  }
}

/** "standin exec" closes with its error and the fix when it could not run the command. */
function refusal(code: number | null, said: readonly string[]): Error {
  const error = said.findLast(line => line.startsWith('standin: Cannot '))
  const fix = said.findLast(line => line.startsWith('standin: fix: '))
  if (code !== 125 || error === undefined || fix === undefined)
    return new Error(`Cannot start the second shop: standin exec ended with code ${code}: ${said.join(' ')}`)
  return new Lack(sentenceOf(error.slice('standin: '.length), fix.slice('standin: fix: '.length)))
}

async function endOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null) return child.exitCode
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), 30_000)
  const [code] = await gone
  clearTimeout(late)
  return code
}
