// Whom a datagram is for, as the kernel reads the address that a send names (udp_sendmsg, udpv6_sendmsg).
import type { Endpoint } from '../../../protocol/codec.ts'
import { AF_INET, AF_INET6, readAddress } from '../../address.ts'

const AF_UNSPEC = 0
const smallestFour = 16

export type Name = Buffer | undefined

/** An address of no family is an IPv4 one to a socket of IPv4, and none to a socket of IPv6; without a socket it may be one. */
export function peerOf(name: Name, family?: number): Endpoint | undefined {
  if (name === undefined) return undefined
  if (name.length < smallestFour || name.readUInt16LE(0) !== AF_UNSPEC) return readAddress(name)
  if (family === AF_INET6) return undefined
  const four = Buffer.from(name)
  four.writeUInt16LE(AF_INET, 0)
  return readAddress(four)
}

export const peersOf = (names: readonly Name[], family?: number): Endpoint[] =>
  names.map(name => peerOf(name, family)).filter(peer => peer !== undefined)

/** Whether the kernel refuses the address by itself. */
export function isOfAnotherFamily(name: Name, socket: { family: number; onlySix: boolean }): boolean {
  if (name === undefined || name.length < 2) return false
  if (socket.family === AF_INET) return name.readUInt16LE(0) === AF_INET6
  return socket.onlySix && peerOf(name, socket.family)?.address.includes(':') === false
}

/** The names before the first that the call cannot get past, for it ends there: the kernel sends what comes before. */
export function until<T, U extends T>(all: readonly T[], isBad: (one: T) => boolean): U[] {
  const index = all.findIndex(isBad)
  return (index < 0 ? [...all] : all.slice(0, index)) as U[]
}
