// Where a client of a cluster says what happens: to the log, and to the user who may have to log in.
import type { Log } from '../../log.ts'
import type { OnStep, Tell } from '../../targets/found.ts'

export type Voice = {
  log: Log
  /** Gets what a credential plugin prints for its user. */
  tell?: Tell
  /** Told while a credential plugin is asked. */
  onStep?: OnStep
}
