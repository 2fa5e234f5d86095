// Internet addresses as struct sockaddr bytes and as text, and how one family is shown to a socket of the other (ip(7), ipv6(7)).
import type { Endpoint } from '../protocol/codec.ts'

// struct sockaddr_in, 16 bytes                     struct sockaddr_in6, 28 bytes
//  0  u16 family 2                                  0  u16 family 10
//  2  u16 port, network order                       2  u16 port, network order
//  4  4 bytes of address                            4  u32 flow
//  8  8 bytes unused                                8  16 bytes of address
//                                                  24  u32 scope (may be missing: 24 bytes are enough for the kernel)
export const AF_INET = 2
export const AF_INET6 = 10
const mappedPrefix = Buffer.from('00000000000000000000ffff', 'hex')

/** An IPv4 socket cannot show an IPv6 caller; 192.0.0.8 is the dummy address of RFC 7600, which never routes. */
export const dummyAddress = '192.0.0.8'

/** The text of an address, mapped IPv4 as IPv4; undefined for other families and short structs. */
export function readAddress(bytes: Buffer): Endpoint | undefined {
  if (bytes.length < 2) return undefined
  const family = bytes.readUInt16LE(0)
  if (family === AF_INET && bytes.length >= 16)
    return { address: [...bytes.subarray(4, 8)].join('.'), port: bytes.readUInt16BE(2) }
  if (family === AF_INET6 && bytes.length >= 24)
    return { address: textOf(bytes.subarray(8, 24)), port: bytes.readUInt16BE(2) }
  return undefined
}

/** An endpoint as the struct that a socket of `family` shows. */
export function writeAddress(family: number, { address, port }: Endpoint): Buffer {
  const isSix = address.includes(':')
  if (family === AF_INET) {
    const bytes = Buffer.alloc(16)
    bytes.writeUInt16LE(AF_INET, 0)
    bytes.writeUInt16BE(port, 2)
    bytes.set(parseFour(isSix ? dummyAddress : address), 4)
    return bytes
  }
  const bytes = Buffer.alloc(28)
  bytes.writeUInt16LE(AF_INET6, 0)
  bytes.writeUInt16BE(port, 2)
  bytes.set(isSix ? parseSix(address) : Buffer.concat([mappedPrefix, parseFour(address)]), 8)
  return bytes
}

/** One spelling for each address, so that they can be compared as text. */
export function normalAddress(address: string): string {
  const plain = address.split('%')[0] ?? address
  return plain.includes(':') ? textOf(parseSix(plain)) : plain
}

export const isWildcard = (address: string): boolean => address === '0.0.0.0' || address === '::'
/** Where a listener can be reached from this machine. */
export const loopbackInstead = ({ address, port }: Endpoint): Endpoint =>
  isWildcard(address) ? { address: address === '::' ? '::1' : '127.0.0.1', port } : { address, port }
export const isLoopback = (address: string): boolean => address === '::1' || address.startsWith('127.')

function parseFour(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number))
}

/** The 16 bytes of an IPv6 address in any of its spellings. */
export function parseSix(address: string): Buffer {
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::')
  const groups = (part: string | undefined) =>
    (part ?? '')
      .split(':')
      .filter(group => group !== '')
      .flatMap(group =>
        group.includes('.')
          ? [parseFour(group).readUInt16BE(0), parseFour(group).readUInt16BE(2)]
          : [Number.parseInt(group, 16)],
      )
  const before = groups(head)
  const after = groups(tail)
  const gap = Array<number>(Math.max(0, 8 - before.length - after.length)).fill(0)
  const bytes = Buffer.alloc(16)
  for (const [index, group] of [...before, ...gap, ...after].slice(0, 8).entries())
    bytes.writeUInt16BE(group & 0xffff, 2 * index)
  return bytes
}

function textOf(bytes: Buffer): string {
  if (bytes.subarray(0, 12).equals(mappedPrefix)) return [...bytes.subarray(12)].join('.')
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index).toString(16))
  const runs = groups.map((_, start) => {
    const end = groups.findIndex((group, index) => index >= start && group !== '0')
    return (end < 0 ? 8 : end) - start
  })
  const longest = Math.max(...runs)
  if (longest < 2) return groups.join(':')
  const start = runs.indexOf(longest)
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + longest).join(':')}`
}
