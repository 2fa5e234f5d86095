// Ports without hooks, as messages name them: where a forward begins and where it leads, and what a session has of them.
import * as t from 'io-ts'
import { count, endpoint, object, port } from '../codec.ts'

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

/** Of a session: ports of this machine that lead into the pod's network, and ports of the pod that are mirrored to ports of this machine. */
export const forwarded = object('Forwarded', {
  portId: [portId, 'names it in closePort'],
  local: [listeningAt, 'where it listens'],
  remote: [podEnd, 'where it leads'],
})
export const reversed = object('Reversed', {
  portId: [portId, 'names it in closePort'],
  podPort: [port, 'port of the pod'],
  localPort: [port, 'port of 127.0.0.1'],
})
export type Reversed = t.TypeOf<typeof reversed>
export type SessionPorts = { forwards: t.TypeOf<typeof forwarded>[]; reverses: Reversed[] }
