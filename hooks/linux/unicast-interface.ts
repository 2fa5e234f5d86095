// Where UDP sockets send by default what is for one receiver: IP_UNICAST_IF (ip(7)), and IPV6_UNICAST_IF of linux/in6.h.
import { declare } from './libc.ts'
import { AF_INET6 } from './sockets.ts'

const IPPROTO_IP = 0
const IP_UNICAST_IF = 50
const IPPROTO_IPV6 = 41
const IPV6_UNICAST_IF = 76
/** `lo` is the first interface of every network namespace (LOOPBACK_IFINDEX of linux/net/core/dev.c). */
const loopbackIndex = 1
const noIndex = 0

const setCall = declare<[number, number, number, Buffer, number]>(
  'int setsockopt(int, int, int, void*, uint)',
)
const getCall = declare<[number, number, number, Buffer, Buffer]>(
  'int getsockopt(int, int, int, void*, void*)',
)

/** IPv4 addresses of an IPv6 socket go by the option of IPv4. */
const four = [IPPROTO_IP, IP_UNICAST_IF] as const
const six = [IPPROTO_IPV6, IPV6_UNICAST_IF] as const
type Option = typeof four | typeof six

/** Both take and give the index as a u32 in network order. */
function set(socket: number, [level, which]: Option, index: number): number {
  const value = Buffer.alloc(4)
  value.writeUInt32BE(index)
  return setCall(socket, level, which, value, 4)
}

function get(socket: number, [level, which]: Option): number {
  const value = Buffer.alloc(4)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(4)
  return getCall(socket, level, which, value, length) < 0 ? -1 : value.readUInt32BE(0)
}

/**
 * What is for another machine goes to `lo` then, where the kernel drops it, or gives ENETUNREACH; 0 or a negative errno. What is received, sent to
 * loopback or to multicast groups is as before.
 */
export function confineToLoopback(socket: number, family: number): number {
  const result = set(socket, four, loopbackIndex)
  return result < 0 || family !== AF_INET6 ? result : set(socket, six, loopbackIndex)
}

/** Sends to that address as to any; an interface that the process chose itself stays. */
export function letOut(socket: number, to: string): void {
  const option = to.includes(':') ? six : four
  // To name none never fails.
  if (get(socket, option) === loopbackIndex) set(socket, option, noIndex)
}
