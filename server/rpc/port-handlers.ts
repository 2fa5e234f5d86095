// The handlers of ports without hooks.
import * as ports from '../../protocol/rpc/ports.ts'
import { answer, type Handler } from './handler.ts'
import type { ServerState } from './state.ts'

type S = ServerState

export const portHandlers: Handler<S>[] = [
  answer(ports.forwardPort, (server: S, { sessionId, local, remote }, { signal }) =>
    server.sessions.getRunning(sessionId).forwarding.forward({ local, remote }, signal),
  ),
  answer(ports.reversePort, (server: S, { sessionId, podPort, localPort }) => ({
    portId: server.sessions.getRunning(sessionId).forwarding.reverse(podPort, localPort),
  })),
  answer(ports.closePort, (server: S, { portId }) => {
    server.sessions.closePort(portId)
    return null
  }),
]
