// The bytes by which the kernel is asked for listening TCP sockets and for UDP sockets, and its answers (sock_diag(7), linux/inet_diag.h).

import { parseSix } from '../protocol/address.ts'
import type { Endpoint } from '../protocol/codec.ts'
import { AF_INET6, readAddress } from './address.ts'

// struct nlmsghdr, 16 bytes: u32 length, u16 type, u16 flags, u32 sequence, u32 port id; messages begin at multiples of 4.
// struct inet_diag_req_v2, 56 bytes                     struct inet_diag_msg, 72 bytes, and attributes (u16 length, u16 type, value)
//  0  u8 family, u8 protocol, u8 extensions              0  u8 family, u8 state, u8 timer, u8 retransmits
//  4  u32 states, one bit each                           4  struct inet_diag_sockid
//  8  struct inet_diag_sockid                           52  u32 expires, read queue, write queue, user
//                                                       68  u32 inode
// struct inet_diag_sockid, 48 bytes: own port and peer's port (network order), 16 bytes of own address, 16 of the peer's, u32 interface,
// 2 x u32 cookie (all ones for any)
const SOCK_DIAG_BY_FAMILY = 20
const NLMSG_ERROR = 2
const NLMSG_DONE = 3
const NLM_F_REQUEST = 1
const NLM_F_DUMP = 0x300
const IPPROTO_TCP = 6
const IPPROTO_UDP = 17
/** The loopback interface has this number in every network namespace. */
const loopbackInterface = 1
const TCP_LISTEN = 10
const INET_DIAG_SKV6ONLY = 11
const headerBytes = 16
const requestBytes = 56
const answerBytes = 72

/** A listening socket as the kernel's tables show it. */
export type ListeningSocket = Endpoint & {
  inode: number
  /** An IPv6 socket that takes no IPv4 connections. */
  onlySix: boolean
}

function request(family: number, flags: number): { bytes: Buffer; socket: Buffer } {
  const bytes = Buffer.alloc(headerBytes + requestBytes)
  bytes.writeUInt32LE(bytes.length, 0)
  bytes.writeUInt16LE(SOCK_DIAG_BY_FAMILY, 4)
  bytes.writeUInt16LE(NLM_F_REQUEST | flags, 6)
  bytes[headerBytes] = family
  bytes[headerBytes + 1] = IPPROTO_TCP
  bytes.writeUInt32LE(1 << TCP_LISTEN, headerBytes + 4)
  const socket = bytes.subarray(headerBytes + 8)
  socket.fill(0xff, 40, 48)
  return { bytes, socket }
}

/** Asks for every listening socket of a family. */
export const listRequest = (family: number): Buffer => request(family, NLM_F_DUMP).bytes

/** Asks for the one socket that would take a connection to this address. */
export function lookupRequest({ address, port }: Endpoint): Buffer {
  const isSix = address.includes(':')
  const { bytes, socket } = request(isSix ? AF_INET6 : 2, 0)
  socket.writeUInt16BE(port, 0)
  socket.set(bytesOf(address), 4)
  return bytes
}

/** Asks for the one UDP socket that would take a datagram between these loopback addresses, connected or not (udp_dump_one). */
export function datagramRequest(from: Endpoint, to: Endpoint): Buffer {
  const { bytes, socket } = request(to.address.includes(':') ? AF_INET6 : 2, 0)
  bytes[headerBytes + 1] = IPPROTO_UDP
  bytes.fill(0xff, headerBytes + 4, headerBytes + 8)
  // The kernel takes the sender for "own" here.
  for (const [index, { address, port }] of [from, to].entries()) {
    socket.writeUInt16BE(port, 2 * index)
    socket.set(bytesOf(address), 4 + 16 * index)
  }
  socket.writeUInt32LE(loopbackInterface, 36)
  return bytes
}

const bytesOf = (address: string): Buffer =>
  address.includes(':') ? parseSix(address) : Buffer.from(address.split('.').map(Number))

/** One datagram of the kernel: the sockets in it, the errno of a refusal (positive), and whether it is the last of a list. */
export function readAnswer(bytes: Buffer): { sockets: ListeningSocket[]; errno: number; last: boolean } {
  const sockets: ListeningSocket[] = []
  for (let at = 0; at + headerBytes <= bytes.length; ) {
    const length = bytes.readUInt32LE(at)
    const type = bytes.readUInt16LE(at + 4)
    if (length < headerBytes || at + length > bytes.length) break
    const body = bytes.subarray(at + headerBytes, at + length)
    if (type === NLMSG_DONE) return { sockets, errno: 0, last: true }
    if (type === NLMSG_ERROR) return { sockets, errno: -body.readInt32LE(0), last: true }
    if (type === SOCK_DIAG_BY_FAMILY && body.length >= answerBytes) sockets.push(readSocket(body))
    at += (length + 3) & ~3
  }
  return { sockets, errno: 0, last: false }
}

function readSocket(body: Buffer): ListeningSocket {
  const isSix = body[0] === AF_INET6
  const name = Buffer.alloc(28)
  name.writeUInt16LE(body[0]!, 0)
  body.copy(name, 2, 4, 6)
  body.copy(name, isSix ? 8 : 4, 8, isSix ? 24 : 12)
  const { address, port } = readAddress(name) ?? { address: '0.0.0.0', port: 0 }
  return { address, port, inode: body.readUInt32LE(68), onlySix: isSix && readOnlySix(body) }
}

function readOnlySix(body: Buffer): boolean {
  for (let at = answerBytes; at + 4 < body.length; ) {
    const length = body.readUInt16LE(at)
    if (length < 4) break
    if (body.readUInt16LE(at + 2) === INET_DIAG_SKV6ONLY) return body[at + 4] === 1
    at += (length + 3) & ~3
  }
  return false
}
