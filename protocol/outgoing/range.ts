// Ranges of Internet addresses: an address, or all that begin with the same bits.
import { isLoopback, normalAddress, parseFour, parseSix, unmapped } from '../address.ts'

/** `shift` bits at the end do not matter. IPv4 has 32 bits in all, IPv6 128. */
export type Range = { bits: number; base: bigint; shift: bigint; isLoopback: boolean }
export type AddressValue = { bits: number; value: bigint }

export const bitsOf = (address: string): 32 | 128 => (address.includes(':') ? 128 : 32)

/** The number that an address is; of a mapped IPv4 address that of the IPv4 address. */
export function valueOfAddress(address: string): AddressValue {
  const bytes = address.includes(':') ? unmapped(parseSix(address)) : parseFour(address)
  return { bits: 8 * bytes.length, value: BigInt(`0x${bytes.toString('hex')}`) }
}

/** What begins with the first `prefix` bits of an address; of mapped IPv4 addresses the IPv4 addresses. */
export function rangeOf(address: string, prefix: number): Range {
  const { bits, value } = valueOfAddress(address)
  const isMapped = bits < bitsOf(address)
  if (isMapped && prefix < 96) return ranged(128, BigInt(`0xffff${hexOf(value)}`), prefix, address)
  return ranged(bits, value, isMapped ? prefix - 96 : prefix, address)
}

function ranged(bits: number, value: bigint, prefix: number, address: string): Range {
  const shift = BigInt(bits - prefix)
  const isOwn =
    bits === 32 ? isLoopback(normalAddress(address)) && prefix >= 8 : value === 1n && prefix === 128
  return { bits, base: value >> shift, shift, isLoopback: isOwn }
}

const hexOf = (value: bigint): string => value.toString(16).padStart(8, '0')

export const isWithin = ({ bits, value }: AddressValue, range: Range): boolean =>
  bits === range.bits && value >> range.shift === range.base
