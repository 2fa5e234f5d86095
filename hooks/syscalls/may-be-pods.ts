// Whether a trapped call may be a connection or a datagram of the pod's, for whoever cannot decide more: such a call must never reach this
// machine's network.
import { isLoopback, isWildcard } from '../../protocol/address.ts'
import type { Endpoint } from '../../protocol/codec.ts'
import type { UnixStreams } from '../../protocol/outgoing/unix-streams.ts'
import { readAddress } from '../address.ts'
import { readFar } from '../linux/far-memory.ts'
import { type Call, intArgument, numberOf, threadOf } from '../linux/notification.ts'
import { nameFor } from '../unix-address.ts'
import { nameOf, readMessages, shapeOf } from './datagrams/messages.ts'
import { peerOf } from './datagrams/peers.ts'
import { type CallName, nameCall, ownArchitecture } from './table.ts'

const EFAULT = 14
const EINVAL = 22
/** Of struct sockaddr_in and sockaddr_in6, without and with a scope; addresses of Unix sockets have other lengths. */
const internetSizes = [16, 24, 28]
/** A send may name more room than the address takes, as much as struct sockaddr_storage has. */
const sentSizes = [...internetSizes, 128]

export type MayBe = {
  /** Whether connections to Internet addresses may be. */
  internet?: boolean
  datagrams?: boolean
  /** Which Unix sockets are. */
  unix?: UnixStreams | undefined
}

export function mayBePods(call: Call, { internet = true, datagrams = internet, unix }: MayBe = {}): boolean {
  const architecture = ownArchitecture()
  if (architecture === undefined) return false
  const name = nameCall(architecture, architecture.audit, numberOf(call))
  if (name === 'connect') return connects(call, internet, unix)
  return datagrams && sends(call, name)
}

function connects(call: Call, internet: boolean, unix: UnixStreams | undefined): boolean {
  const size = intArgument(call, 2)
  if (size < 2 || size > 128 || !(internet || unix)) return false
  const bytes = readFar(threadOf(call), call.readBigUInt64LE(32 + 8 * 1), size)
  if (typeof bytes === 'number') return internet && bytes !== -EFAULT && internetSizes.includes(size)
  const named = unix === undefined ? undefined : nameFor(threadOf(call), bytes)
  if (named !== undefined && unix?.ruleFor(named.name) !== undefined) return true
  return internet && isElsewhere(readAddress(bytes))
}

/** A socket, or a copy of one, that nobody would give a number in the window could send unseen. */
function sends(call: Call, name: CallName | 'foreign'): boolean {
  if (name === 'socket' || name === 'dup' || name === 'fcntl') return true
  if (name !== 'sendto' && name !== 'sendmsg' && name !== 'sendmmsg') return false
  const messages = readMessages(call, shapeOf(name))
  if (typeof messages === 'number') return messages !== -EFAULT
  return messages.some(message => {
    const address = nameOf(call, shapeOf(name), message)
    if (typeof address !== 'number') return isElsewhere(peerOf(address))
    return address !== -EFAULT && address !== -EINVAL && sentSizes.includes(message.header.nameLength)
  })
}

function isElsewhere(to: Endpoint | undefined): boolean {
  return to !== undefined && !isLoopback(to.address) && !isWildcard(to.address)
}
