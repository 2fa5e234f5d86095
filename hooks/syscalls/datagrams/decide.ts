// Whether a datagram is the pod's, by the address that it is for.
import type { Endpoint } from '../../../protocol/codec.ts'
import { decideOutgoing, forMany } from '../../../protocol/outgoing/decide.ts'
import type { World } from '../world.ts'

/** The decision, with a notice where it may surprise. */
export function placeOf(to: Endpoint, world: World): 'pod' | 'here' {
  if (!world.outgoingRules?.udp) return 'here'
  const decision = decideOutgoing('udp', to, world)
  if (decision === forMany)
    world.notice({
      level: 'info',
      code: 'datagrams-for-many',
      text: 'Multicast and broadcast datagrams of the process go to this machine’s networks, not to the pod’s',
    })
  return decision.where
}
