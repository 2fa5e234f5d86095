// All sessions of one client, those that ended included.

import type { SessionConfig } from '../../protocol/config.ts'
import { Failure } from '../../protocol/errors.ts'
import type { ListedSession } from '../../protocol/rpc/sessions.ts'
import type { Log } from '../log.ts'
import type { HookedProcess } from '../processes/hooked-process.ts'
import type { Hooks } from '../processes/hooks.ts'
import type { LaunchedProcess } from '../processes/launched.ts'
import type { Client } from '../rpc/client.ts'
import { Session } from './session.ts'

const keptAfterEnd = 100

export class Sessions {
  readonly #all = new Map<string, Session>()
  readonly #context: { client: Client; log: Log; hooks: Hooks }
  #lastId = 0
  #closed = false

  constructor(context: { client: Client; log: Log; hooks: Hooks }) {
    this.#context = context
  }

  add(target: string, config: SessionConfig): Session {
    if (this.#closed) throw new Failure('request-invalid', { reason: 'the server ends' })
    this.#lastId += 1
    const session = new Session({ ...this.#context, id: `s${this.#lastId}`, target, config })
    this.#all.set(session.id, session)
    this.#forgetOldest()
    return session
  }

  get(sessionId: string): Session {
    const session = this.#all.get(sessionId)
    if (session === undefined) throw new Failure('session-not-found', { sessionId })
    return session
  }

  /** A session that commands can be started in; one that reconnects is. */
  getRunning(sessionId: string): Session {
    const session = this.get(sessionId)
    const { state } = session.status
    if (state === 'running' || state === 'reconnecting') return session
    throw new Failure('session-not-running', { sessionId, state })
  }

  list(): ListedSession[] {
    return [...this.#all.values()].map(({ status, forwarding }) => ({ ...status.shown, ...forwarding.open }))
  }

  findProcess(processId: string): HookedProcess {
    for (const { processes } of this.#all.values()) {
      const found = processes.find(processId)
      if (found !== undefined) return found
    }
    throw new Failure('process-not-found', { processId })
  }

  findLaunched(processId: string): LaunchedProcess {
    this.findProcess(processId)
    for (const { processes } of this.#all.values()) {
      const found = processes.launched(processId)
      if (found !== undefined) return found
    }
    throw new Failure('stdin-closed', { processId })
  }

  closePort(portId: string): void {
    const owned = [...this.#all.values()].some(({ forwarding }) => forwarding.closePort(portId))
    if (!owned) throw new Failure('port-not-found', { portId })
  }

  async close(reason: string): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#all.values()].map(session => session.end('stopped', reason)))
  }

  #forgetOldest(): void {
    const ended = [...this.#all.values()].filter(
      ({ status, processes }) => status.over && processes.count === 0,
    )
    for (const session of ended.slice(0, Math.max(0, ended.length - keptAfterEnd))) {
      void session.end('stopped', 'forgotten')
      this.#all.delete(session.id)
    }
  }
}
