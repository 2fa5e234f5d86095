// Ports without hooks: one of this machine that leads into the pod's network, and one of the pod whose callers are mirrored to one of this machine.
import * as t from 'io-ts'
import { object, port } from '../codec.ts'
import { request } from './message.ts'
import { listeningAt, localEnd, podEnd, portId } from './port-ends.ts'
import { sessionId } from './sessions.ts'

export const forwardPort = request({
  method: 'forwardPort',
  direction: 'clientToServer',
  summary:
    'Listens on this machine; each connection is made again from the pod, in its network and by its names. Needs no hooks. One that the pod cannot make is reset, and a message says why; one that is made while the link is down waits for it, at most 10 s.',
  errors: ['session-not-found', 'session-not-running', 'listen-failed'],
  params: object(
    'ForwardPortParams',
    { sessionId: [sessionId, 'the session'], remote: [podEnd, 'what to reach from the pod'] },
    { local: [localEnd, 'where to listen; default: a free port of 127.0.0.1'] },
  ),
  result: object('ForwardPortResult', {
    portId: [portId, 'names the forward in closePort'],
    local: [listeningAt, 'where it listens'],
  }),
  example: {
    params: { sessionId: 's1', local: { port: 5432 }, remote: { host: 'postgres', port: 5432 } },
    result: { portId: 's1-f1', local: { address: '127.0.0.1', port: 5432 } },
  },
})

export const reversePort = request({
  method: 'reversePort',
  direction: 'clientToServer',
  summary:
    'Mirrors a port of the pod: what its callers send is copied to a port of 127.0.0.1, and what is answered there goes nowhere. Needs no hooks, goes before a hooked process that listens on the port, and whatever incoming traffic the configuration wants.',
  errors: ['session-not-found', 'session-not-running', 'nothing-arrives', 'port-mirrored'],
  params: object('ReversePortParams', {
    sessionId: [sessionId, 'the session'],
    podPort: [port, 'port of the pod'],
    localPort: [port, 'port of 127.0.0.1; what listens there may start later'],
  }),
  result: object('ReversePortResult', { portId: [portId, 'names the mirror in closePort'] }),
  example: {
    params: { sessionId: 's1', podPort: 8080, localPort: 3000 },
    result: { portId: 's1-r1' },
  },
})

export const closePort = request({
  method: 'closePort',
  direction: 'clientToServer',
  summary:
    'Ends a forward, whose connections are reset, or a mirror, which begins no more copies. The end of the session ends all of them.',
  errors: ['port-not-found'],
  params: object('ClosePortParams', { portId: [portId, 'as forwardPort or reversePort answered'] }),
  result: t.null,
  example: { params: { portId: 's1-f1' }, result: null },
})
