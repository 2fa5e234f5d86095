// Reads resolv.conf(5) as C libraries do, for whoever asks in the pod and for whoever answers to the process.
import { isIP } from 'node:net'

export type ResolverConfig = {
  /** Addresses, asked in this order. */
  nameservers: string[]
  /** Domains, tried in this order. */
  search: string[]
  /** A name with so many dots is tried as it is before the search list. */
  ndots: number
  /** What one question to one nameserver may take. */
  timeoutMs: number
  /** How often all nameservers are asked. */
  attempts: number
}

/** As glibc bounds them (resolv.h: MAXNS, RES_MAXNDOTS, RES_MAXRETRANS, RES_MAXRETRY). */
const most = { nameservers: 3, ndots: 15, timeoutSeconds: 30, attempts: 5 } as const

/** What is not understood is passed over, as C libraries do. Of several search lists the last one counts. */
export function parseResolvConf(text: string): ResolverConfig {
  const config: ResolverConfig = { nameservers: [], search: [], ndots: 1, timeoutMs: 5_000, attempts: 2 }
  for (const line of text.split('\n')) {
    if (/^[#;]/.test(line)) continue
    const [keyword, ...words] = line.trim().split(/\s+/)
    const [first] = words
    if (keyword === 'nameserver' && first !== undefined && isIP(first) !== 0) config.nameservers.push(first)
    else if (keyword === 'search') config.search = words.map(withoutDot).filter(Boolean)
    else if (keyword === 'domain' && first !== undefined) config.search = [withoutDot(first)].filter(Boolean)
    else if (keyword === 'options') for (const word of words) setOption(config, word)
  }
  if (config.nameservers.length === 0) config.nameservers.push('127.0.0.1')
  return { ...config, nameservers: config.nameservers.slice(0, most.nameservers) }
}

function setOption(config: ResolverConfig, word: string): void {
  const [, name, digits] = /^(ndots|timeout|attempts):(\d+)$/.exec(word) ?? []
  const value = Number(digits)
  if (name === 'ndots') config.ndots = Math.min(value, most.ndots)
  if (name === 'timeout') config.timeoutMs = Math.min(Math.max(value, 1), most.timeoutSeconds) * 1_000
  if (name === 'attempts') config.attempts = Math.min(Math.max(value, 1), most.attempts)
}

export function withoutDot(domain: string): string {
  return domain.replace(/\.$/, '')
}
