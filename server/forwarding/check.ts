// What a forward may be asked for, beyond the shape of its params; pure.
import { isIP } from 'node:net'
import { isAbsolute } from 'node:path'
import { Failure } from '../../protocol/errors.ts'
import type { LocalEnd, PodEnd } from '../../protocol/rpc/port-ends.ts'

const maxPort = 65_535
const maxNameChars = 253
/** Of a Unix socket's address (unix(7)); libuv cuts longer ones off without a word. */
const maxAddressBytes = 107
/** Of a path that the agent opens (PATH_MAX). */
const maxPathBytes = 4095

/** Throws `params-invalid`. */
export function checkForward({ local, remote }: { local?: LocalEnd | undefined; remote: PodEnd }): void {
  const faults = [
    ...(local === undefined ? [] : localFaults(local)),
    ...('path' in remote
      ? pathFaults('remote.path', remote.path, { mayBeAbstract: true })
      : hostFaults(remote.host)),
  ]
  if (faults.length > 0)
    throw new Failure('params-invalid', { method: 'forwardPort', faults: faults.join('; ') })
}

function localFaults(local: LocalEnd): string[] {
  if ('port' in local)
    return local.port > maxPort ? [`local.port: expected at most ${maxPort}, got ${local.port}`] : []
  return pathFaults('local.path', local.path, { mayBeAbstract: false })
}

function pathFaults(field: string, path: string, { mayBeAbstract }: { mayBeAbstract: boolean }): string[] {
  if (path.includes('\0')) return [`${field}: a NUL character cannot be part of it`]
  const isAbstract = mayBeAbstract && /^@./.test(path)
  if (!isAbstract && !isAbsolute(path)) {
    const forms = mayBeAbstract ? 'an absolute path, or @NAME' : 'an absolute path'
    return [`${field}: expected ${forms}, got ${JSON.stringify(path)}`]
  }
  const most = isAbstract || !mayBeAbstract ? maxAddressBytes : maxPathBytes
  return Buffer.byteLength(path) > most ? [`${field}: expected at most ${most} bytes`] : []
}

function hostFaults(host: string): string[] {
  const isName = /^[^\s/:@[\]\0]+$/.test(host) && host.length <= maxNameChars
  return isName || isIP(host) !== 0
    ? []
    : [`remote.host: expected a name or an IP address, got ${JSON.stringify(host.slice(0, 80))}`]
}
