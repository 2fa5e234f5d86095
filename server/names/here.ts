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

/** `file` is the one that had it. */
export type OwnAnswer = { bytes: Buffer; file?: string }

/** Resolves with the whole message, whatever becomes of the question. */
export async function answerHere(question: Question): Promise<OwnAnswer> {
  try {
    const { answers, ...from } = await foundFor(question)
    return { bytes: writeAnswer(question, rcodes.noError, answers), ...from }
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (code === 'ENODATA') return { bytes: writeAnswer(question, rcodes.noError, []) }
    return { bytes: writeAnswer(question, noName.has(code) ? rcodes.noSuchName : rcodes.serverFailure, []) }
  }
}

/** Each holds one of the few threads that the server's files need too. */
const lookups = new Turns(2)
/** What two tries of a resolver take (resolv.conf(5)). */
const lookupMs = 10_000
const hostsFile = '/etc/hosts'
const slow = () => Object.assign(new Error('Cannot look it up in time'), { code: 'ETIMEDOUT' })

/** A name with dots is whole: with one more at its end no search list of this machine is tried, and the hosts file has it without. */
async function addressesOf(name: string): Promise<{ all: LookupAddress[]; file?: string }> {
  const inHosts = parseHosts(await readFile(hostsFile, 'utf8').catch(() => '')).get(name.toLowerCase())
  if (inHosts !== undefined)
    return { all: inHosts.map(address => ({ address, family: isIP(address) })), file: hostsFile }
  return { all: await dns.lookup(name.includes('.') ? `${name}.` : name, { all: true, order: 'verbatim' }) }
}

async function foundFor(question: Question): Promise<{ answers: Answer[]; file?: string }> {
  const { name, type } = question
  if (type !== 'A' && type !== 'AAAA') return { answers: await recordsOf(question) }
  const family = type === 'A' ? 4 : 6
  const { all, ...from } = await lookups.run(() => within(addressesOf(name), lookupMs, slow))
  const found = all.filter(one => one.family === family)
  return { answers: found.map(({ address }) => ({ name, ttl, class: 'IN', type, data: address })), ...from }
}

async function recordsOf({ name, type }: Question): Promise<Answer[]> {
  const common = { name, ttl, class: 'IN' } as const
  const strings = (data: readonly string[]): Answer[] =>
    data.map(one => ({ ...common, type: type as StringAnswer['type'], data: one }))
  switch (type) {
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
