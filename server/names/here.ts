// Answers a question in this machine's name: addresses by its own getaddrinfo, other records by its nameservers.
import { promises as dns, type LookupAddress } from 'node:dns'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import type { Answer, RecordType, SrvAnswer, StringAnswer } from 'dns-packet'
import { parseHosts } from '../../protocol/names/hosts.ts'
import { within } from '../deadline.ts'
import { Turns } from '../turns.ts'
import { type Question, rcodes, writeAnswer } from './wire.ts'

/** Programs ask again soon: this machine has a cache of its own where it wants one. */
const ttl = 5
const noName = new Set(['ENOTFOUND', 'ENODATA'])

/** Resolves with the whole message, whatever becomes of the question. */
export async function answerHere(question: Question): Promise<Buffer> {
  try {
    return writeAnswer(question, rcodes.noError, await answersTo(question))
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (code === 'ENODATA') return writeAnswer(question, rcodes.noError, [])
    return writeAnswer(question, noName.has(code) ? rcodes.noSuchName : rcodes.serverFailure, [])
  }
}

/** Each holds one of the few threads that the server's files need too. */
const lookups = new Turns(2)
/** What two tries of a resolver take (resolv.conf(5)). */
const lookupMs = 10_000
const slow = () => Object.assign(new Error('Cannot look it up in time'), { code: 'ETIMEDOUT' })

/** A name with dots is whole: with one more at its end no search list of this machine is tried, and the hosts file has it without. */
async function addressesOf(name: string): Promise<LookupAddress[]> {
  const inHosts = parseHosts(await readFile('/etc/hosts', 'utf8').catch(() => '')).get(name.toLowerCase())
  if (inHosts !== undefined) return inHosts.map(address => ({ address, family: isIP(address) }))
  return dns.lookup(name.includes('.') ? `${name}.` : name, { all: true, order: 'verbatim' })
}

async function answersTo({ name, type }: Question): Promise<Answer[]> {
  const common = { name, ttl, class: 'IN' } as const
  const strings = (data: readonly string[]): Answer[] =>
    data.map(one => ({ ...common, type: type as StringAnswer['type'], data: one }))
  switch (type) {
    case 'A':
    case 'AAAA': {
      const family = type === 'A' ? 4 : 6
      const all = await lookups.run(() => within(addressesOf(name), lookupMs, slow))
      return strings(all.filter(found => found.family === family).map(({ address }) => address))
    }
    case 'CNAME':
      return strings(await dns.resolveCname(name))
    case 'NS':
      return strings(await dns.resolveNs(name))
    case 'PTR':
      return strings(await dns.resolvePtr(name))
    case 'TXT':
      return (await dns.resolveTxt(name)).map(data => ({ ...common, type: 'TXT', data }))
    case 'MX':
      return (await dns.resolveMx(name)).map(({ priority, exchange }) => ({
        ...common,
        type: 'MX',
        data: { preference: priority, exchange },
      }))
    case 'SRV':
      return (await dns.resolveSrv(name)).map(
        ({ name: target, ...data }): SrvAnswer => ({ ...common, type: 'SRV', data: { ...data, target } }),
      )
    default:
      return noRecords(type)
  }
}

/** What Node.js cannot ask for is what this machine does not have. */
const noRecords = (_: RecordType): Answer[] => []
