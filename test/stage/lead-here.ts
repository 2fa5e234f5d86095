// Leads a range of addresses to this network namespace for the tests of one describe, which then hear what this machine sends there itself.
import { execFileSync } from 'node:child_process'

/**
 * To be called in the describe. Without it the range has no way, which other tests of the same run rely on. With `local` its addresses are this
 * machine's as far as the kernel knows, so that connections to them stand.
 */
export function leadHere(range: string, type: 'unicast' | 'local' = 'unicast'): void {
  const route = (change: 'replace' | 'delete') =>
    void execFileSync('ip', ['route', change, type, range, 'dev', 'lo'])
  before(() => route('replace'))
  after(() => route('delete'))
}
