// Internet addresses as text and bytes: one spelling for each, and which of them are a machine's own business.
import type { Endpoint } from './codec.ts'

const mappedPrefix = Buffer.from('00000000000000000000ffff', 'hex')

/** One spelling for each address, so that they can be compared as text; mapped IPv4 as IPv4. */
export function normalAddress(address: string): string {
  const plain = address.split('%')[0] ?? address
  return plain.includes(':') ? textOfSix(parseSix(plain)) : plain
}

/** For maps. */
export const endpointKey = ({ address, port }: Endpoint): string => `${address} ${port}`

/** Of a Unix socket, where an address is a path or @NAME. */
export const isUnixName = (address: string): boolean => /^[/@]/.test(address)

export const isWildcard = (address: string): boolean => address === '0.0.0.0' || address === '::'
/** Where a listener can be reached from this machine. */
export const loopbackInstead = ({ address, port }: Endpoint): Endpoint =>
  isWildcard(address) ? { address: address === '::' ? '::1' : '127.0.0.1', port } : { address, port }
/** The loopback address that stands for an address of the pod. */
export const loopbackFor = (address: string): string => (address.includes(':') ? '::1' : '127.0.0.1')
export const isLoopback = (address: string): boolean => address === '::1' || address.startsWith('127.')
/** Link-local and multicast of IPv6. */
export const isOfLink = (address: string): boolean => /^(fe[89ab].|ff..):/.test(address)

export function parseFour(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number))
}

/** An IPv4 address as the IPv6 address that stands for it. */
export const mapped = (four: Buffer): Buffer => Buffer.concat([mappedPrefix, four])

/** The 4 bytes of the IPv4 address that an IPv6 one stands for, else its own. */
export const unmapped = (six: Buffer): Buffer =>
  six.subarray(0, 12).equals(mappedPrefix) ? six.subarray(12) : six

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

/** The text of 16 bytes, mapped IPv4 as IPv4. */
export function textOfSix(bytes: Buffer): string {
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
