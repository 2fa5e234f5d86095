// Starts the relay as a server would, and asks it to complete connections.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { Socket } from 'node:net'
import { join } from 'node:path'
import type { Endpoint } from '../../protocol/codec.ts'
import type { QuietPorts } from '../../protocol/hook/relay.ts'
import { connected, type Handle } from '../../server/processes/ends.ts'

export type RelayProcess = {
  readonly child: ChildProcess
  readonly quiet: QuietPorts
  /** The other end of the connection that is in progress from there, or the errno. */
  complete(from: Endpoint): Promise<Socket | string>
  /** A place where that supervisor is expected; `take` gives its connection, or the errno. */
  meet(
    supervisor: number,
    options?: { seqpacket?: boolean },
  ): Promise<{ name: string; take(): Promise<Socket | string> }>
  close(): Promise<void>
}

export async function startRelay(dist: string, owner: { uid?: number; gid?: number }): Promise<RelayProcess> {
  const child = fork(join(dist, 'relay.cjs'), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [],
    ...owner,
  })
  const [{ quiet }] = (await once(child, 'message')) as [{ quiet: QuietPorts }]
  let last = 0
  return {
    child,
    quiet,
    async complete(from) {
      child.send({ open: ++last, at: from.address.includes(':') ? 'six' : 'four' })
      const [{ errno }, handle] = (await once(child, 'message')) as [{ errno?: string }, Handle]
      return errno ?? connected(handle, from).catch(({ code }: NodeJS.ErrnoException) => String(code))
    },
    async meet(supervisor, { seqpacket = false } = {}) {
      const id = ++last
      child.send({ meet: id, supervisor, seqpacket })
      const [{ name }] = (await once(child, 'message')) as [{ name: string }]
      return {
        name,
        async take() {
          child.send({ take: id })
          const [{ errno }, handle] = (await once(child, 'message')) as [{ errno?: string }, Handle]
          return errno ?? new Socket({ handle, allowHalfOpen: true } as never)
        },
      }
    },
    async close() {
      const exited = once(child, 'exit')
      child.disconnect()
      await exited
    },
  }
}
