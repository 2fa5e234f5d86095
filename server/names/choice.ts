// Which names are looked up in the pod and which by this machine, by feature.network.dns.filter, and why. Pure.
import type { DnsFilterConfig } from '../../protocol/config.ts'
import { normalName } from '../../protocol/outgoing/entry.ts'
import { isUnder, spellings } from './spellings.ts'

/** Who answers for a name, and why, the end of a sentence. */
export type Choice = { where: 'pod' | 'here'; rule: string }
/** `search` is the pod's search list. */
export type NameChoice = (name: string, search: readonly string[]) => Choice

const key = 'feature.network.dns.filter'
const unfiltered: Choice = { where: 'pod', rule: 'no filter keeps it here' }

export function nameChoice({ remote, local }: DnsFilterConfig = {}): NameChoice {
  const given = remote ?? local
  if (given === undefined) return () => unfiltered
  const [side, named, others] =
    remote === undefined ? (['local', 'here', 'pod'] as const) : (['remote', 'pod', 'here'] as const)
  const entries = [given].flat().map(text => ({ name: normalName(text), text }))
  return (name, search) => {
    const called = spellings(name, search)
    const entry = entries.find(one => called.some(each => isUnder(each, one.name)))
    return entry === undefined
      ? { where: others, rule: `no entry of ${key}.${side} matches` }
      : { where: named, rule: `entry "${entry.text}" of ${key}.${side}` }
  }
}
