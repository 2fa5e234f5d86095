// One run of "standin exec" in the demo: starts the second shop under it, and collects what the second shop gets.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { programPath } from '../../protocol/programs.ts'
import { type Lines, linesOf } from '../stage/lines.ts'
import { programOf } from './town.ts'

export type Arrival = { method: string; item: string; caller: string }

export type StandIn = {
  readonly command: string
  /** What "standin exec" said on standard error. */
  readonly said: Lines
  /** SHOP_REGION as the second shop has it. */
  readonly region: string
  arrivals(): Arrival[]
  readonly lines: Lines
  /** Ends it as a user would, with a signal, and resolves with its exit code. */
  end(): Promise<number | null>
}

export async function startStandIn(target: string): Promise<StandIn> {
  const words = ['exec', '-t', target, '--', process.execPath, programOf('second-shop.cjs')]
  const child = spawn(process.execPath, [programPath('standin'), ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lines = linesOf(child.stdout)
  const said = linesOf(child.stderr)
  try {
    const ready = await Promise.race([
      lines.until('the second shop', line => line.startsWith('{"ready"'), 10_000),
      once(child, 'exit').then(([code]) => {
        throw new Error(`standin exec ended with code ${code}: ${said.all.join(' ')}`)
      }),
    ])
    return {
      command: 'standin exec -t TARGET -- node second-shop.cjs'.replace('TARGET', target),
      said,
      lines,
      region: (JSON.parse(ready) as { ready: string }).ready,
      arrivals: () => lines.all.filter(line => line.startsWith('{"method"')).map(line => JSON.parse(line)),
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
