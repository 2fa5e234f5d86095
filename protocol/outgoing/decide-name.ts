// Where connections to a name go as long as nobody knows its addresses. Pure.
import { type OutgoingFacts, restOf, sideOf } from './decide.ts'
import type { Protocol } from './entry.ts'
import { isFor, type OutgoingFilter } from './filter.ts'

export type NameDecision = { where: 'pod' | 'here' | 'depends'; why: string }

/** `standing`: the places of the filter's entries that stand for the name. Addresses of this machine are not thought of. */
export function decideName(
  protocol: Protocol,
  { port, standing }: { port: number; standing: readonly number[] },
  { outgoingRules, outgoingFilter }: Pick<OutgoingFacts, 'outgoingRules' | 'outgoingFilter'>,
): NameDecision {
  if (!outgoingRules?.[protocol]) return { where: 'here', why: 'outgoing traffic is not part of the session' }
  if (outgoingFilter === undefined) return { where: 'pod', why: 'no filter keeps it here' }
  return byFilter(protocol, { port, standing }, outgoingFilter)
}

function byFilter(
  protocol: Protocol,
  { port, standing }: { port: number; standing: readonly number[] },
  filter: OutgoingFilter,
): NameDecision {
  const fitting = [...filter.entries.entries()].filter(([, entry]) => isFor(entry, protocol, port))
  const sure = fitting.find(([index, { to }]) => to.kind === 'any' || standing.includes(index))
  if (sure !== undefined) return sideOf(filter, filter.ruleOf(sure[0]))
  const ranges = fitting.filter(([, { to }]) => to.kind === 'range' && !to.range.isLoopback)
  if (ranges.length === 0) return restOf(filter)
  const shown = ranges.map(([, { text }]) => `"${text}"`).join(', ')
  return {
    where: 'depends',
    why: `that depends on whether its address is in ${shown} of feature.network.outgoing.filter.${filter.side}`,
  }
}
