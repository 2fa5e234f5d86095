// Reads what a decision about rights needs to know of a target and of ourselves.
import type { Rights } from '../targets/rights.ts'
import { capability, hasCapability } from '../targets/stat.ts'
import { namespaceOf, readProcText } from './proc.ts'

/** Throws EACCES when we may not even look into the process. */
export async function readRights(pid: number): Promise<Rights> {
  const status = readProcText('self', 'status') ?? ''
  const admin = hasCapability(status, capability.SYS_ADMIN)
  const sameUser = namespaceOf(pid, 'user') === namespaceOf('self', 'user')
  return {
    sameNetwork: namespaceOf(pid, 'net') === namespaceOf('self', 'net'),
    sameUser,
    ownsUser: !sameUser && !admin && (await ownsUserNamespace(pid)),
    admin,
    raw: hasCapability(status, capability.NET_RAW),
  }
}

/** Loaded when asked for only, since most programs that need this file never call into the C library. */
async function ownsUserNamespace(pid: number): Promise<boolean> {
  const { userNamespaceOwner } = await import('./namespace.ts')
  return userNamespaceOwner(pid) === process.geteuid?.()
}
