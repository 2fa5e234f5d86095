// Where a session stands, told to the client whenever it changes.
import { type Session, sessionStatus } from '../../protocol/rpc/sessions.ts'
import type { Client } from '../rpc/client.ts'

type State = Session['state']

export class Status {
  readonly startedAt = new Date().toISOString()
  #now: Pick<Session, 'state' | 'reason' | 'attempt'> = { state: 'starting' }

  constructor(
    readonly sessionId: string,
    readonly target: string,
    readonly client: Client,
    readonly processes: () => number,
  ) {}

  get state(): State {
    return this.#now.state
  }

  /** Stopped and failed are final. */
  get over(): boolean {
    return this.state === 'stopped' || this.state === 'failed'
  }

  get shown(): Session {
    const { sessionId, target, startedAt } = this
    return { sessionId, target, startedAt, processes: this.processes(), ...this.#now }
  }

  set(state: State, why: { reason?: string; attempt?: number } = {}): void {
    if (this.over) return
    this.#now = { state, ...why }
    this.tell()
  }

  tell(): void {
    this.client.notify(sessionStatus, this.shown)
  }
}
