// Reads the IP addresses of a network namespace from /proc/PID/net/fib_trie and if_inet6, which needs no right to enter it.
import { addressText } from './address.ts'

/** IPv4: each leaf of the trie that is a host of type LOCAL. The two tables of the file repeat each other. */
export function parseFibTrie(text: string): string[] {
  const found = new Set<string>()
  let leaf = ''
  for (const line of text.split('\n')) {
    const address = /^\s*\|-- (\S+)/.exec(line)?.[1]
    if (address !== undefined) leaf = address
    else if (/^\s+\/32 host LOCAL/.test(line) && !leaf.startsWith('127.')) found.add(leaf)
  }
  return [...found]
}

/**
 * IPv6: rows of `address ifindex prefix scope flags name`, in hex. Loopback (scope 10) is left out, and so are link-local
 * addresses (scope 20): nobody can use one without naming an interface of that namespace.
 */
export function parseIfInet6(text: string): string[] {
  return text
    .split('\n')
    .map(line => line.trim().split(/\s+/))
    .filter(([address, , , scope]) => address?.length === 32 && scope !== '10' && scope !== '20')
    .map(([address = '']) => addressText(Buffer.from(address, 'hex')))
}
