// Why a connection of the process would go where it goes.
import * as t from 'io-ts'
import { object, oneOf, port } from '../codec.ts'
import { sessionConfig } from '../config.ts'
import { request } from './message.ts'
import { sessionId } from './sessions.ts'

const where = oneOf('pod', 'here', 'depends')
const rule = [t.string, 'what decides, the end of a sentence'] as const

export const explainConnect = request({
  method: 'explainConnect',
  direction: 'clientToServer',
  summary:
    'Says where a connection of the process goes, and by which rule: in a session, or by a configuration alone. It decides as the hooks do, and connects to nothing.',
  errors: ['session-not-found', 'session-not-running', 'config-invalid', 'config-unreadable'],
  params: object(
    'ExplainConnectParams',
    {
      host: [
        t.string,
        'IP address (IPv6 without brackets), or a name; of a Unix socket its absolute path, or @NAME',
      ],
    },
    {
      port: [port, 'where it connects to; not of a Unix socket'],
      protocol: [oneOf('tcp', 'udp'), 'default "tcp"'],
      sessionId: [
        sessionId,
        'decide as in this session, which knows what names resolved to; config, configFile and folder do not count then',
      ],
      config: [sessionConfig, 'as for startSession'],
      configFile: [t.string, 'as for startSession'],
      folder: [t.string, 'as for startSession'],
    },
  ),
  result: object(
    'ExplainConnectResult',
    {
      where: [
        where,
        'pod: it leaves from the pod; here: from this machine; depends: on the address of the name',
      ],
      rule,
      sentence: [t.string, 'both as one sentence for the user'],
    },
    {
      addresses: [
        t.array(
          object('ExplainedAddress', {
            address: [t.string, 'IP address'],
            where: [oneOf('pod', 'here'), 'as above'],
            rule,
          }),
        ),
        'what the name resolved to when a process of the session last looked it up; missing for an address, and for a name that was not',
      ],
    },
  ),
  example: {
    params: {
      host: 'primary.db.shop',
      port: 5432,
      config: { feature: { network: { outgoing: { filter: { remote: ['db.shop:5432'] } } } } },
    },
    result: {
      where: 'pod',
      rule: 'entry "db.shop:5432" of feature.network.outgoing.filter.remote',
      sentence:
        'A TCP connection to primary.db.shop port 5432 leaves from the pod: entry "db.shop:5432" of feature.network.outgoing.filter.remote.',
    },
  },
})
