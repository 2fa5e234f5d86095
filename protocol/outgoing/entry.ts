// One entry of an outgoing filter, read: `[protocol://][name|address|subnet/mask][:port]`, as mirrord writes it (its configuration reference, feature.network.outgoing.filter).
import { isIPv4, isIPv6 } from 'node:net'
import { normalAddress } from '../address.ts'
import { suggestion } from '../suggest.ts'
import { bitsOf, type Range, rangeOf } from './range.ts'

export type Protocol = 'tcp' | 'udp'
export type Entry = {
  /** As the configuration has it. */
  text: string
  protocol: Protocol | 'any'
  /** 0 is any. */
  port: number
  to: { kind: 'any' } | { kind: 'range'; range: Range } | { kind: 'name'; name: string }
}

const protocols = ['tcp', 'udp', 'any'] as const
const shownCharacters = 80

/** The entry, or what is wrong with it and what to write instead. */
export function parseEntry(text: string): { ok: true; entry: Entry } | { ok: false; fault: string } {
  const fault = (what: string) => ({
    ok: false as const,
    fault: `"${text.slice(0, shownCharacters)}" ${what}`,
  })
  if (text.trim() === '') return fault('is empty; name an address, a name or a port')
  const at = text.indexOf('://')
  const scheme = at < 0 ? 'any' : text.slice(0, at).toLowerCase()
  const protocol = protocols.find(known => known === scheme)
  if (protocol === undefined)
    return fault(
      `has the unknown protocol "${scheme}"${suggestion(scheme, protocols)}; write tcp, udp or any before "://"`,
    )
  const rest = at < 0 ? text : text.slice(at + 3)
  const [bare = '', range] = rest.split('/')
  if (isIPv6(bare))
    return fault(
      `is an IPv6 address without brackets; write "[${bare}]${range === undefined ? '' : `/${range}`}"`,
    )
  if (/^(tcp|udp|any):\/(?!\/)/i.test(text))
    return fault('has one slash after its protocol; write two, as in "tcp://db"')
  const parts = /^(?:\[([^[\]]*)\]|([^[\]:/]*))(?:\/([^:/]*))?(?::(.*))?$/.exec(rest)
  if (parts === null)
    return fault('cannot be read; write it as [protocol://][name|address|subnet/mask][:port]')
  const [, six, plain = '', mask, portText] = parts
  if (at < 0 && plain === '' && six === undefined && mask === undefined && portText === '')
    return fault('is empty; name an address, a name or a port')
  const port = portText === undefined ? 0 : readPort(portText)
  if (port === undefined)
    return fault(`has the port "${portText}"; write one from 1 to 65535, and 0 or nothing for any`)
  const to = six === undefined ? readPlain(plain, mask) : readSix(six, mask)
  return typeof to === 'string' ? fault(to) : { ok: true, entry: { text, protocol, port, to } }
}

function readPort(text: string): number | undefined {
  const port = Number(text)
  return /^\d{1,9}$/.test(text) && port <= 65_535 ? port : undefined
}

/** 0.0.0.0 and [::] without a mask are any address, as in mirrord. */
function readSix(text: string, mask: string | undefined): Entry['to'] | string {
  if (!isIPv6(text) || text.includes('%'))
    return 'has no IPv6 address in its brackets; write one as in "[2001:db8::1]:443"'
  if (mask === undefined && normalAddress(text) === '::') return { kind: 'any' }
  return readRange(text, mask)
}

function readPlain(text: string, mask: string | undefined): Entry['to'] | string {
  if (isIPv4(text)) return text === '0.0.0.0' && mask === undefined ? { kind: 'any' } : readRange(text, mask)
  if (mask !== undefined) return 'has a mask without an address; write it as in "10.0.0.0/8"'
  if (text === '') return { kind: 'any' }
  return readName(text)
}

function readRange(text: string, mask: string | undefined): Entry['to'] | string {
  const bits = bitsOf(text)
  const prefix = mask === undefined ? bits : Number(mask)
  if (mask !== undefined && !(/^\d{1,3}$/.test(mask) && prefix <= bits))
    return `has the mask "${mask}"; write a number of bits from 0 to ${bits}`
  return { kind: 'range', range: rangeOf(text, prefix) }
}

/** A name as resolvers take it (RFC 1123), underscores included; its case and last dot say nothing. */
function readName(text: string): Entry['to'] | string {
  const name = normalName(text)
  const labels = name.split('.')
  if (text.startsWith('*.') && labels.length > 1)
    return `has a wildcard; write "${text.slice(2)}", which stands for all names under it too`
  if (/^\d+$/.test(labels.at(-1)!)) return 'is no IPv4 address, and no name ends with a number; correct it'
  const isName =
    name.length <= 253 && labels.every(label => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label))
  return isName ? { kind: 'name', name } : 'is no name and no address; names have a-z, 0-9, "-", "_" and "."'
}

export const normalName = (name: string): string => name.toLowerCase().replace(/\.$/, '')
