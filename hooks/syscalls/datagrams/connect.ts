// Answers connect of a UDP socket: to what is the pod's it is connected to the outlet that stands for the peer, so that send, recv and poll are the kernel's.
import type { Endpoint } from '../../../protocol/codec.ts'
import { AF_INET6 } from '../../address.ts'
import {
  type Call,
  idOf,
  intArgument,
  isAlive,
  notificationBytes,
  threadOf,
} from '../../linux/notification.ts'
import { cookieOf, datagramFamily, inodeOf, isOnlySix, namespaceOf } from '../../linux/sockets.ts'
import { tellStayed } from '../stayed.ts'
import { done, give, leaveAlone, type Outcome, type World } from '../world.ts'
import { decideDatagram, letOutTo, senderOf } from './decide.ts'
import { beginLife, endLife } from './state.ts'

const ENETUNREACH = 101

export type Connect = { copy: number; to: Endpoint; addressFamily: number }

export function connectDatagrams(call: Call, { copy, to, addressFamily }: Connect, world: World): Outcome {
  const family = datagramFamily(copy)
  if (family === undefined) return leaveAlone('neither a TCP nor a UDP socket')
  if (addressFamily === AF_INET6 && family !== AF_INET6) return leaveAlone('an address of another family')
  if (family === AF_INET6 && !to.address.includes(':') && isOnlySix(copy))
    return leaveAlone('an IPv4 address on a socket for IPv6 alone')
  if (namespaceOf(copy) !== world.namespace) return leaveAlone('in another network namespace')
  const cookie = cookieOf(copy)
  if (cookie === undefined) return leaveAlone('not a socket')
  const { where, why } = decideDatagram(to, world, senderOf(copy, to))
  if (where === 'here') {
    tellStayed({ protocol: 'udp', to, rule: why }, world)
    endLife(cookie, world)
    world.outgoing.delete(cookie)
    letOutTo([to], copy)
    return leaveAlone('a datagram socket of this machine')
  }
  if (!isAlive(world.listener, call)) return leaveAlone('the call is gone')
  const life = beginLife(copy, cookie, family, world)
  if (typeof life === 'number') return give(life)
  if (!world.hold(idOf(call), { refused: true })) return give(-ENETUNREACH)
  world.tell({
    type: 'outlets',
    asking: {
      ...{ socket: life.id, cookie, inode: inodeOf(copy), family, from: life.from, connects: true },
      ...{ to: [to], rules: [why] },
      place: { thread: threadOf(call), descriptor: intArgument(call, 0) },
      call: Buffer.from(call.subarray(0, notificationBytes)),
      ...{ known: [], here: [] },
    },
  })
  return done
}
