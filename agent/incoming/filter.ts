// The kernel's part of the capture: which packets are copied into the ring, and how much of each.
import { isIP } from 'node:net'
import { addressBytes } from './address.ts'
import { assemble, BPF, type Instruction, jump, jumpIf, type Line, op, place } from './bpf-program.ts'
import type { Subscription } from './subscription.ts'

/** Bytes of a pod's packet that are copied, by answers mode. Headers (at most 40 + 8 + 60) are always: they carry ACK, FIN and RST. */
export const snapBytes = { none: 128, heads: 2048, all: 0x40000 } as const
const wholePacket = 0x40000

/** More ports than this are captured as one range, and what is not subscribed to is left out by the reader of the ring. */
export const maxListedPorts = 512

/** Ancillary loads of linux/filter.h: facts about a packet that are not in its bytes. */
const SKF_AD_OFF = -0x1000
const SKF_AD_PROTOCOL = SKF_AD_OFF + 0
const SKF_AD_PKTTYPE = SKF_AD_OFF + 4
const SKF_AD_IFINDEX = SKF_AD_OFF + 8
const LOOPBACK_IFINDEX = 1
const PACKET_OTHERHOST = 3
const PACKET_OUTGOING = 4
const ETH_P_IP = 0x0800
const ETH_P_IPV6 = 0x86dd
const vlanTypes = [0x8100, 0x88a8]
const IPPROTO_TCP = 6
/** Hop-by-hop (the kernel's own jumbo packets carry it), routing and destination options: same layout, length in units of 8 bytes. */
const extensionHeaders = [0, 43, 60]

/** A program has room for so many; where a node has more, what is for the rest is missed, and nobody else's is taken for it. */
export const maxListedAddresses = { 4: 96, 6: 48 } as const

/** What a packet may be, by where it was seen: scratch cell 0. */
const mayBeReceived = 1
const mayBeSent = 2
/** Loopback is passed on to nobody. */
const onLoopback = 4

const loadWord = BPF.LD | BPF.W | BPF.ABS
const loadWordAtX = BPF.LD | BPF.W | BPF.IND
const loadHalfAtX = BPF.LD | BPF.H | BPF.IND
const loadByteAtX = BPF.LD | BPF.B | BPF.IND
const loadCell = BPF.LD | BPF.W | BPF.MEM
const returns = BPF.RET | BPF.K

/**
 * The packet starts at its network header (SOCK_DGRAM); an 802.1Q tag stands before it where the device did not take it off. Taken are:
 * TCP to a port of the set that arrived, whole; TCP from a port of the set that leaves, by `answers`; on loopback, which shows each packet
 * twice, the arriving one, both ways. So the pod's own calls to the same port elsewhere are not mistaken for calls to it.
 * With `localTo`, each only where its own end has one of these addresses. Not taken: IP fragments, and IPv6 with more than one extension header. Both show as a gap, by the acknowledgement of what is missing.
 */
export function captureFilter(subscription: Subscription): Instruction[] {
  const ports = [...new Set(subscription.ports)].sort((a, b) => a - b)
  if (ports.length === 0) return assemble([op(returns, 0)])
  return assemble([
    ...roles(subscription.loopbackOnly),
    ...networkHeader(),
    ...ipv4(subscription.localTo),
    ...ipv6(subscription.localTo),
    ...portRules(ports),
    place('whole'),
    op(returns, wholePacket),
    place('snap'),
    op(returns, snapBytes[subscription.answers]),
    place('drop'),
    op(returns, 0),
  ])
}

function roles(loopbackOnly: boolean): Line[] {
  return [
    op(loadWord, SKF_AD_IFINDEX),
    jumpIf(BPF.JEQ, LOOPBACK_IFINDEX, loopbackOnly ? { no: 'drop' } : { no: 'wire' }),
    op(loadWord, SKF_AD_PKTTYPE),
    jumpIf(BPF.JEQ, PACKET_OUTGOING, { yes: 'drop' }),
    op(BPF.LD | BPF.IMM, mayBeReceived | mayBeSent | onLoopback),
    jump('known'),
    place('wire'),
    op(loadWord, SKF_AD_PKTTYPE),
    jumpIf(BPF.JEQ, PACKET_OTHERHOST, { yes: 'drop' }),
    jumpIf(BPF.JEQ, PACKET_OUTGOING, { yes: 'leaves' }),
    op(BPF.LD | BPF.IMM, mayBeReceived),
    jump('known'),
    place('leaves'),
    op(BPF.LD | BPF.IMM, mayBeSent),
    place('known'),
    op(BPF.ST, 0),
  ]
}

/** X becomes the offset of the IP header: 0, or 4 and 8 behind tags (TCI, then the type of what follows). */
function networkHeader(): Line[] {
  const tagged = (to: string) => vlanTypes.map(type => jumpIf(BPF.JEQ, type, { yes: to }))
  const versions = [jumpIf(BPF.JEQ, ETH_P_IP, { yes: 'ipv4' }), jumpIf(BPF.JEQ, ETH_P_IPV6, { yes: 'ipv6' })]
  return [
    op(BPF.LDX | BPF.IMM, 0),
    op(loadWord, SKF_AD_PROTOCOL),
    ...versions,
    ...tagged('tag'),
    jump('drop'),
    place('tag'),
    op(BPF.LDX | BPF.IMM, 4),
    op(BPF.LD | BPF.H | BPF.ABS, 2),
    ...versions,
    ...tagged('second tag'),
    jump('drop'),
    place('second tag'),
    op(BPF.LDX | BPF.IMM, 8),
    op(BPF.LD | BPF.H | BPF.ABS, 6),
    ...versions,
    jump('drop'),
  ]
}

/** X becomes the offset of the TCP header. Flags and offset & 0x3fff: more fragments, or not the first. */
function ipv4(localTo: readonly string[] | undefined): Line[] {
  return [
    place('ipv4'),
    op(loadByteAtX, 9),
    jumpIf(BPF.JEQ, IPPROTO_TCP, { no: 'drop' }),
    op(loadHalfAtX, 6),
    jumpIf(BPF.JSET, 0x3fff, { yes: 'drop' }),
    ...locality('ipv4', { source: 12, destination: 16 }, wordsOf(localTo, 4)),
    op(loadByteAtX, 0),
    op(BPF.ALU | BPF.AND | BPF.K, 0x0f),
    op(BPF.ALU | BPF.LSH | BPF.K, 2),
    op(BPF.ALU | BPF.ADD | BPF.X),
    op(BPF.MISC | BPF.TAX),
    jump('tcp'),
  ]
}

function ipv6(localTo: readonly string[] | undefined): Line[] {
  return [
    place('ipv6'),
    ...locality('ipv6', { source: 8, destination: 24 }, wordsOf(localTo, 6)),
    op(loadByteAtX, 6),
    jumpIf(BPF.JEQ, IPPROTO_TCP, { yes: 'plain ipv6' }),
    ...extensionHeaders.map(type => jumpIf(BPF.JEQ, type, { yes: 'extended' })),
    jump('drop'),
    place('extended'),
    op(loadByteAtX, 40),
    jumpIf(BPF.JEQ, IPPROTO_TCP, { no: 'drop' }),
    op(loadByteAtX, 41),
    op(BPF.ALU | BPF.LSH | BPF.K, 3),
    op(BPF.ALU | BPF.ADD | BPF.K, 48),
    op(BPF.ALU | BPF.ADD | BPF.X),
    op(BPF.MISC | BPF.TAX),
    jump('tcp'),
    place('plain ipv6'),
    op(BPF.LD | BPF.IMM, 40),
    op(BPF.ALU | BPF.ADD | BPF.X),
    op(BPF.MISC | BPF.TAX),
  ]
}

/** An end that is not local takes its role from the packet: what is for others is not received, what others say is not sent. */
function locality(
  family: string,
  at: { source: number; destination: number },
  addresses: readonly (readonly number[])[] | undefined,
): Line[] {
  if (addresses === undefined) return []
  const name = (what: string) => `${family} ${what}`
  const without = (role: number) => [
    op(loadCell, 0),
    op(BPF.ALU | BPF.AND | BPF.K, ~role & (mayBeReceived | mayBeSent)),
    op(BPF.ST, 0),
  ]
  return [
    op(loadCell, 0),
    jumpIf(BPF.JSET, onLoopback, { yes: name('is local') }),
    ...anyOf(addresses, at.destination, name('destination is local'), name('destination')),
    ...without(mayBeReceived),
    place(name('destination is local')),
    ...anyOf(addresses, at.source, name('is local'), name('source')),
    ...without(mayBeSent),
    place(name('is local')),
  ]
}

/** Jumps to `hit` when the address at this offset is one of these; an address is one word or four. */
function anyOf(addresses: readonly (readonly number[])[], at: number, hit: string, name: string): Line[] {
  return addresses.flatMap((words, index) => {
    const next = `${name} is not number ${index}`
    return [
      ...words.flatMap((word, part) => [
        op(loadWordAtX, at + 4 * part),
        jumpIf(BPF.JEQ, word, part === words.length - 1 ? { yes: hit } : { no: next }),
      ]),
      place(next),
    ]
  })
}

/** The addresses of a family as words in network order. */
function wordsOf(addresses: readonly string[] | undefined, family: 4 | 6): number[][] | undefined {
  return addresses
    ?.filter(address => isIP(address) === family)
    .slice(0, maxListedAddresses[family])
    .map(address => {
      const bytes = addressBytes(address)
      return Array.from({ length: bytes.length / 4 }, (_, part) => bytes.readUInt32BE(part * 4))
    })
}

function portRules(ports: readonly number[]): Line[] {
  return [
    place('tcp'),
    op(loadCell, 0),
    jumpIf(BPF.JSET, mayBeReceived, { no: 'not received' }),
    op(loadHalfAtX, 2),
    ...search(ports, 'whole', 'not received', 'destination'),
    place('not received'),
    op(loadCell, 0),
    jumpIf(BPF.JSET, mayBeSent, { no: 'drop' }),
    op(loadHalfAtX, 0),
    ...search(ports, 'snap', 'drop', 'source'),
  ]
}

/** A binary search for A among the ports: 256 ports cost 8 comparisons. */
function search(ports: readonly number[], hit: string, miss: string, name: string): Line[] {
  if (ports.length > maxListedPorts)
    return [
      jumpIf(BPF.JGT, ports.at(-1)!, { yes: miss }),
      jumpIf(BPF.JGT, ports[0]! - 1, { yes: hit, no: miss }),
    ]
  if (ports.length <= 4) return [...ports.map(port => jumpIf(BPF.JEQ, port, { yes: hit })), jump(miss)]
  const middle = ports.length >> 1
  const upper = `${name} above ${ports[middle - 1]}`
  return [
    jumpIf(BPF.JGT, ports[middle - 1]!, { yes: upper }),
    ...search(ports.slice(0, middle), hit, miss, name),
    place(upper),
    ...search(ports.slice(middle), hit, miss, name),
  ]
}
