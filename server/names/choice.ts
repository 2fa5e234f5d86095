// Which names are looked up in the pod and which by this machine, by feature.network.dns.filter. Pure.
import type { DnsFilterConfig } from '../../protocol/config.ts'
import { normalName } from '../../protocol/outgoing/entry.ts'
import { isUnder, spellings } from './spellings.ts'

/** Whether this machine answers for a name; `search` is the pod's search list. */
export type NameChoice = (name: string, search: readonly string[]) => boolean

/** Undefined when all names are the pod's. */
export function nameChoice({ remote, local }: DnsFilterConfig = {}): NameChoice | undefined {
  const given = remote ?? local
  if (given === undefined) return undefined
  const names = [given].flat().map(normalName)
  return (name, search) => {
    const isNamed = spellings(name, search).some(each => names.some(named => isUnder(each, named)))
    return remote === undefined ? isNamed : !isNamed
  }
}
