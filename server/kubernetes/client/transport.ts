// The connections of one identity to an API server: kept alive, shared, and closed together.
import { type AgentOptions, Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { Socket } from 'node:net'
import { Failure } from '../../../protocol/errors.ts'
import { connectTo, type Place } from './connect.ts'

export type Transport = {
  readonly agent: HttpAgent
  close(): void
}

/** Idle connections are closed after this; the API server does so after 90 s, and then a request would race with it. */
const idleMs = 45_000
const agentOptions: AgentOptions = { keepAlive: true, timeout: idleMs, maxFreeSockets: 8 }

export function createTransport(place: Place): Transport {
  const agent = place.tls === undefined ? new HttpAgent(agentOptions) : new HttpsAgent(agentOptions)
  const ended = new AbortController()
  const sockets = new Set<Socket>()
  type OnSocket = (error: Error | null, socket?: Socket) => void
  const createConnection = (_options: unknown, onSocket: OnSocket): undefined => {
    connectTo(place, ended.signal).then(
      socket => {
        sockets.add(socket)
        socket.once('close', () => sockets.delete(socket))
        onSocket(null, socket)
      },
      (error: Error) => onSocket(error),
    )
  }
  // Node calls this method for each connection that it needs and lets it answer later; its types know only the immediate answer.
  Object.assign(agent, { createConnection })
  return {
    agent,
    close() {
      ended.abort(new Failure('cancelled', { what: 'a request to the cluster' }))
      agent.destroy()
      for (const socket of sockets) socket.destroy()
    },
  }
}
