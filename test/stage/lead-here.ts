// Leads a range of addresses to this network namespace for the tests of one describe, which then hear what this machine sends there itself.
import { execFileSync } from 'node:child_process'

/** To be called in the describe. Without it the range has no way, which other tests of the same run rely on. */
export function leadHere(range: string): void {
  before(() => void execFileSync('ip', ['route', 'replace', range, 'dev', 'lo']))
  after(() => void execFileSync('ip', ['route', 'delete', range, 'dev', 'lo']))
}
