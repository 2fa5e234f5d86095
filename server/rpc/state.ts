// What the handlers of one client work with.

import type { Log } from '../log.ts'
import type { HookSupport } from '../processes/probe.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { TrafficViews } from '../sessions/traffic-views.ts'
import type { Client } from './client.ts'
import type { RequestId } from './envelope.ts'

export type TraceValue = 'off' | 'messages' | 'verbose'

export type ServerState = {
  readonly client: Client
  readonly log: Log
  readonly sessions: Sessions
  readonly views: TrafficViews
  /** The probe's answer, waited for only a short while. */
  hookSupport(): Promise<HookSupport>
  /** Throws `token-wrong`; the connection is closed after that answer. */
  checkToken(token: string | undefined): void
  watchClient(processId: number): void
  setTrace(value: TraceValue): void
  cancel(id: RequestId): void
  /** Ends everything that was started. */
  shutDown(): Promise<void>
  exit(): void
}
