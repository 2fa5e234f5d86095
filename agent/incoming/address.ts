// IP addresses as bytes and as text, in the one form that the kernel and Node print too.

/** An address of 4 or 16 bytes at an offset; IPv4 mapped into IPv6 is written as IPv4, as it is the same caller. */
export function addressText(view: DataView, at: number, bytes: number): string {
  if (bytes === 4) return ipv4Text(view, at)
  const groups = Array.from({ length: 8 }, (_, index) => view.getUint16(at + 2 * index))
  if (groups.slice(0, 5).every(group => group === 0) && groups[5] === 0xffff) return ipv4Text(view, at + 12)
  return ipv6Text(groups)
}

function ipv4Text(view: DataView, at: number): string {
  return [0, 1, 2, 3].map(index => view.getUint8(at + index)).join('.')
}

/** RFC 5952: the longest run of at least two zero groups, the first of equals, becomes "::". */
function ipv6Text(groups: readonly number[]): string {
  let [bestAt, bestLength] = [0, 1]
  for (let at = 0; at < 8; at++) {
    let length = 0
    while (groups[at + length] === 0) length++
    if (length > bestLength) [bestAt, bestLength] = [at, length]
  }
  const text = (part: readonly number[]) => part.map(group => group.toString(16)).join(':')
  if (bestLength === 1) return text(groups)
  return `${text(groups.slice(0, bestAt))}::${text(groups.slice(bestAt + bestLength))}`
}

/** 4 or 16 bytes in network order, of a text that is an address. */
export function addressBytes(text: string): Buffer {
  if (!text.includes(':')) return Buffer.from(text.split('.').map(Number))
  const [first = [], last = []] = text.split('::').map(groupsOf)
  const zeros = new Array<number>(8 - first.length - last.length).fill(0)
  const bytes = Buffer.alloc(16)
  for (const [index, group] of [...first, ...zeros, ...last].entries()) bytes.writeUInt16BE(group, index * 2)
  return bytes
}

/** The last group may be written as an IPv4 address. */
function groupsOf(text: string): number[] {
  return text.split(':').flatMap(part => {
    if (part === '') return []
    if (!part.includes('.')) return [Number.parseInt(part, 16)]
    const four = Buffer.from(part.split('.').map(Number))
    return [four.readUInt16BE(0), four.readUInt16BE(2)]
  })
}
