// What all sessions of one client share to hook processes: the answer of the probe, the supervisors' socket, the guard, the ids.
import { randomBytes } from 'node:crypto'
import { Guard } from './guard.ts'
import { type HookSocket, openHookSocket } from './hook-socket.ts'
import { type HookSupport, probeHooks } from './probe.ts'
import { Relay } from './relay.ts'

export class Hooks {
  readonly guard = new Guard()
  readonly relay = new Relay()
  readonly #onFault: (text: string) => void
  #support: Promise<HookSupport> | undefined
  #socket: Promise<HookSocket> | undefined
  readonly #stop = new AbortController()
  #lastId = 0

  constructor(onFault: (text: string) => void) {
    this.#onFault = onFault
  }

  /** Asked once; the answer does not change while the server lives. */
  support(): Promise<HookSupport> {
    this.#support ??= probeHooks(this.#stop.signal)
    return this.#support
  }

  /** Throws `hooks-unavailable`, `hooks-nested` or `kernel-feature-missing` when processes cannot be hooked here. */
  async require(): Promise<void> {
    const support = await this.support()
    if (!support.hooks) throw support.failure
  }

  socket(): Promise<HookSocket> {
    this.#socket ??= openHookSocket(this.#onFault)
    return this.#socket
  }

  /** Unlike any other on this machine, since the id is also the mark by which the guard finds processes to end. */
  newProcessId(): string {
    this.#lastId += 1
    return `p${this.#lastId}-${randomBytes(6).toString('hex')}`
  }

  async close(): Promise<void> {
    this.#stop.abort()
    const socket = await this.#socket?.catch(() => undefined)
    await Promise.all([this.guard.close(), this.relay.close(), socket?.close(), this.#support])
  }
}
