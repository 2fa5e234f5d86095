// Whether NO_PROXY exempts a server, as Go's programs read it.
import { BlockList, isIP, isIPv4 } from 'node:net'

/**
 * Pure. Entries by commas: "*", an address, a CIDR range, a name (it and all below it), ".name" (only below it), each perhaps with ":port".
 * Loopback servers never go through a proxy. Source: golang.org/x/net/http/httpproxy.
 */
export function bypassesProxy(server: URL, noProxy: string): boolean {
  const host = server.hostname
    .replace(/^\[|\]$/g, '')
    .toLowerCase()
    .replace(/\.$/, '')
  const port = server.port === '' ? (server.protocol === 'https:' ? '443' : '80') : server.port
  if (host === 'localhost' || isLoopback(host)) return true
  return noProxy
    .split(',')
    .map(entry => entry.trim().toLowerCase())
    .filter(entry => entry !== '')
    .some(entry => entry === '*' || exempts(entry, host, port))
}

function isLoopback(host: string): boolean {
  return isIPv4(host) ? host.startsWith('127.') : host === '::1'
}

function exempts(entry: string, host: string, port: string): boolean {
  if (entry.includes('/')) return isIP(host) !== 0 && inRange(host, entry)
  const withPort = /^(\[[^\]]+\]|[^:]+):(\d+)$/.exec(entry)
  if (withPort !== null && withPort[2] !== port) return false
  const name = (withPort?.[1] ?? entry).replace(/^\[|\]$/g, '').replace(/^\*(?=\.)/, '')
  if (isIP(name) !== 0) return isIP(host) !== 0 && inRange(host, `${name}/${isIPv4(name) ? 32 : 128}`)
  return name.startsWith('.') ? host.endsWith(name) : host === name || host.endsWith(`.${name}`)
}

function inRange(address: string, range: string): boolean {
  const [network = '', bits = ''] = range.split('/')
  const family = isIPv4(network) ? 'ipv4' : 'ipv6'
  const length = Number(bits)
  const valid = isIP(network) !== 0 && /^\d+$/.test(bits) && length <= (family === 'ipv4' ? 32 : 128)
  if (!valid || isIPv4(address) !== (family === 'ipv4')) return false
  const list = new BlockList()
  list.addSubnet(network, length, family)
  return list.check(address, family)
}
