// Ports without hooks: one of this machine that leads into the pod's network, and one of the pod whose callers are mirrored to one of this machine.
import * as t from 'io-ts'
import { count, endpoint, object, port } from '../codec.ts'
import { request } from './message.ts'
import { sessionId } from './sessions.ts'

export const portId = t.string
const localSocket = object('LocalSocket', {
  path: [t.string, 'absolute path of a Unix socket, which its user alone may connect to'],
})
const localPort = object('LocalPort', {
  port: [count, 'port of 127.0.0.1, at most 65535; 0 takes a free one'],
})
/** The near end of a forward. */
export const localEnd = t.union([localPort, localSocket])
export type LocalEnd = t.TypeOf<typeof localEnd>

/** The far end of a forward. */
export const podEnd = t.union([
  object('PodAddress', {
    host: [
      t.string,
      'IP address, or a name that is looked up as in the pod for each connection; "localhost" is the pod itself',
    ],
    port: [port, 'TCP port'],
  }),
  object('PodSocket', {
    path: [t.string, 'Unix socket of the pod: an absolute path, or "@NAME" for an abstract one'],
  }),
])
export type PodEnd = t.TypeOf<typeof podEnd>

export const listeningAt = t.union([endpoint, localSocket])
export type ListeningAt = t.TypeOf<typeof listeningAt>

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
  errors: ['session-not-found', 'session-not-running', 'port-mirrored'],
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
