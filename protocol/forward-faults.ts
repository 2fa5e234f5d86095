// What is wrong with the ends of a forward beyond their shape, for the server that refuses them and for whoever types them. Pure.
import { isIP } from 'node:net'
import { isAbsolute } from 'node:path'
import type { LocalEnd, PodEnd } from './rpc/port-ends.ts'

const maxPort = 65_535
const maxNameChars = 253
/** Of a Unix socket's address (unix(7)); libuv cuts longer ones off without a word. */
const maxAddressBytes = 107
/** Of a path that the agent opens (PATH_MAX). */
const maxPathBytes = 4095

export type ForwardFault = {
  field: 'local.port' | 'local.path' | 'remote.path' | 'remote.host'
  what: string
}

export function forwardFaults({
  local,
  remote,
}: {
  local?: LocalEnd | undefined
  remote: PodEnd
}): ForwardFault[] {
  return [
    ...(local === undefined ? [] : localFaults(local)),
    ...('path' in remote
      ? pathFaults('remote.path', remote.path, { mayBeAbstract: true })
      : hostFaults(remote.host)),
  ]
}

function localFaults(local: LocalEnd): ForwardFault[] {
  if ('port' in local)
    return local.port > maxPort
      ? [{ field: 'local.port', what: `expected at most ${maxPort}, got ${local.port}` }]
      : []
  return pathFaults('local.path', local.path, { mayBeAbstract: false })
}

function pathFaults(
  field: 'local.path' | 'remote.path',
  path: string,
  { mayBeAbstract }: { mayBeAbstract: boolean },
): ForwardFault[] {
  const fault = (what: string): ForwardFault[] => [{ field, what }]
  if (path.includes('\0')) return fault('a NUL character cannot be part of it')
  const isAbstract = mayBeAbstract && /^@./.test(path)
  if (!isAbstract && !isAbsolute(path)) {
    const forms = mayBeAbstract ? 'an absolute path, or @NAME' : 'an absolute path'
    return fault(`expected ${forms}, got ${JSON.stringify(path)}`)
  }
  const most = isAbstract || !mayBeAbstract ? maxAddressBytes : maxPathBytes
  return Buffer.byteLength(path) > most ? fault(`expected at most ${most} bytes`) : []
}

function hostFaults(host: string): ForwardFault[] {
  const isName = /^[^\s/:@[\]\0]+$/.test(host) && host.length <= maxNameChars
  return isName || isIP(host) !== 0
    ? []
    : [
        {
          field: 'remote.host',
          what: `expected a name or an IP address, got ${JSON.stringify(host.slice(0, 80))}`,
        },
      ]
}
