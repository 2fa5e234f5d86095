// Text form of IP addresses: IPv6 shortened as RFC 5952 says, `::ffff:` mapped ones written as IPv4.

const mappedPrefix = Buffer.from('00000000000000000000ffff', 'hex')

/** 4 or 16 bytes in network order to text. */
export function addressText(bytes: Buffer): string {
  if (bytes.length === 4) return [...bytes].join('.')
  if (bytes.subarray(0, 12).equals(mappedPrefix)) return [...bytes.subarray(12)].join('.')
  const groups = bytes.toString('hex').match(/.{4}/g) ?? []
  // The URL parser is the one part of Node that shortens an IPv6 address.
  return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1)
}
