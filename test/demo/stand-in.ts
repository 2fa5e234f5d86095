// One run of "standin exec" in the demo: starts the second shop under it, and collects what the second shop gets.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { programPath } from '../../protocol/programs.ts'
import { type Lines, linesOf } from '../stage/lines.ts'
import { type Records, recordsOf } from './records.ts'
import { programOf } from './town.ts'

/** What the second shop prints: first that it is ready, then one record a request. */
type Printed = { ready: string } | Arrival

export type Arrival = { method: string; item: string; caller: string }

export type StandIn = {
  readonly command: string
  /** What "standin exec" said on standard error. */
  readonly said: Lines
  /** SHOP_REGION as the second shop has it. */
  readonly region: string
  arrivals(): Arrival[]
  readonly printed: Records<Printed>
  /** Ends it as a user would, with a signal, and resolves with its exit code. */
  end(): Promise<number | null>
}

export async function startStandIn(target: string): Promise<StandIn> {
  const words = ['exec', '-t', target, '--', process.execPath, programOf('second-shop.cjs')]
  const child = spawn(process.execPath, [programPath('standin'), ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const printed = recordsOf<Printed>(child.stdout)
  const said = linesOf(child.stderr)
  try {
    await Promise.race([
      printed.until('the second shop', () => printed.all.length > 0),
      once(child, 'exit').then(([code]) => {
        throw new Error(`standin exec ended with code ${code}: ${said.all.join(' ')}`)
      }),
    ])
    return {
      command: 'standin exec -t TARGET -- node second-shop.cjs'.replace('TARGET', target),
      said,
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

async function endOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null) return child.exitCode
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), 8_000)
  const [code] = await gone
  clearTimeout(late)
  return code
}
