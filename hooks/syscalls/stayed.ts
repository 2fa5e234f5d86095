// Tells, while somebody looks, of what stays on this machine.
import type { Stayed } from '../shared/connecting.ts'
import type { World } from './world.ts'

/** A program sends many datagrams to one address, and each look-up of a name may connect to it only to learn the way: it is told once. */
export function tellStayed(stayed: Omit<Stayed, 'type'>, world: World): void {
  if (!world.outgoingRules?.watched) return
  if (stayed.protocol === 'udp' && !isFirst(stayed, world)) return
  world.tell({ type: 'stayed', ...stayed })
}

/** Whoever asks for a route names no port. */
function isFirst({ to, rule }: Omit<Stayed, 'type'>, { toldDatagrams }: World): boolean {
  const key = `${to.address} ${to.port} ${rule}`
  if (to.port === 0 || toldDatagrams.has(key)) return false
  toldDatagrams.set(key, true)
  return true
}
