// Whether a trapped call may be a connection of the pod's, for whoever cannot decide more: such a call must never reach this machine's network.
import { isLoopback, isWildcard } from '../../protocol/address.ts'
import { readAddress } from '../address.ts'
import { readMemory } from '../linux/memory.ts'
import { type Call, intArgument, numberOf } from '../linux/notification.ts'
import { ownArchitecture } from './table.ts'

const EFAULT = 14
/** Of struct sockaddr_in and sockaddr_in6, without and with a scope; addresses of Unix sockets have other lengths. */
const internetSizes = [16, 24, 28]

export function mayBePods(call: Call): boolean {
  if (numberOf(call) !== ownArchitecture()?.numbers.connect) return false
  const size = intArgument(call, 2)
  if (size < 2 || size > 128) return false
  const bytes = readMemory(call, 1, size)
  if (typeof bytes === 'number') return bytes !== -EFAULT && internetSizes.includes(size)
  const to = readAddress(bytes)
  return to !== undefined && !isLoopback(to.address) && !isWildcard(to.address)
}
