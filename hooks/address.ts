// Internet addresses as struct sockaddr bytes, and how one family is shown to a socket of the other (ip(7), ipv6(7)).
import { mapped, parseFour, parseSix, textOfSix } from '../protocol/address.ts'
import type { Endpoint } from '../protocol/codec.ts'

// struct sockaddr_in, 16 bytes                     struct sockaddr_in6, 28 bytes
//  0  u16 family 2                                  0  u16 family 10
//  2  u16 port, network order                       2  u16 port, network order
//  4  4 bytes of address                            4  u32 flow
//  8  8 bytes unused                                8  16 bytes of address
//                                                  24  u32 scope (may be missing: 24 bytes are enough for the kernel)
export const AF_INET = 2
export const AF_INET6 = 10

/** An IPv4 socket cannot show an IPv6 caller; 192.0.0.8 is the dummy address of RFC 7600, which never routes. */
export const dummyAddress = '192.0.0.8'

/** The text of an address, mapped IPv4 as IPv4; undefined for other families and short structs. */
export function readAddress(bytes: Buffer): Endpoint | undefined {
  if (bytes.length < 2) return undefined
  const family = bytes.readUInt16LE(0)
  if (family === AF_INET && bytes.length >= 16)
    return { address: [...bytes.subarray(4, 8)].join('.'), port: bytes.readUInt16BE(2) }
  if (family === AF_INET6 && bytes.length >= 24)
    return { address: textOfSix(bytes.subarray(8, 24)), port: bytes.readUInt16BE(2) }
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
  bytes.set(isSix ? parseSix(address) : mapped(parseFour(address)), 8)
  return bytes
}
