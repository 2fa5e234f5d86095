// Explains where a connection would go, by the decision that the hooks make, in a session or by a configuration alone.
import { isIP } from 'node:net'
import type * as t from 'io-ts'
import { isUnixName, normalAddress } from '../../protocol/address.ts'
import { Failure } from '../../protocol/errors.ts'
import { makeForMany } from '../../protocol/for-many.ts'
import type { OutgoingRules } from '../../protocol/hook/messages.ts'
import { decideOutgoing, type OutgoingFacts } from '../../protocol/outgoing/decide.ts'
import { decideName } from '../../protocol/outgoing/decide-name.ts'
import { normalName, type Protocol, parseEntry } from '../../protocol/outgoing/entry.ts'
import { isLocalhost, OutgoingFilter } from '../../protocol/outgoing/filter.ts'
import { noPattern, UnixStreams } from '../../protocol/outgoing/unix-streams.ts'
import { makeOwnAddresses } from '../../protocol/own-addresses.ts'
import type { explainConnect } from '../../protocol/rpc/explain.ts'
import type { LearnedNames } from './learned-names.ts'
import { listensHere } from './listens-here.ts'

export type Explained = t.TypeOf<(typeof explainConnect)['result']>
/** What decides: of a session, or of a configuration. */
export type Circumstances = Omit<
  OutgoingFacts,
  'outgoingRules' | 'outgoingFilter' | 'isOwnAddress' | 'listensHere' | 'isForMany'
> & {
  rules: OutgoingRules
  names: LearnedNames
}
type Question = { host: string; port?: number | undefined; protocol?: Protocol | undefined }
type Asked = Question & { port: number }
type Decided = Pick<Explained, 'where' | 'rule'>

const isOwnAddress = makeOwnAddresses()
const isForMany = makeForMany()

export function explain(question: Question, circumstances: Circumstances): Explained {
  const { host, port } = question
  if (isUnixName(host)) return explainUnix(host, circumstances)
  if (port === undefined)
    throw invalid('port: it is missing; only a Unix socket, which is an absolute path or @NAME, has none')
  return explainAddress({ ...question, port }, circumstances)
}

function explainUnix(name: string, { rules }: Circumstances): Explained {
  const rule = new UnixStreams(rules.unix ?? []).ruleFor(name)
  const verb = rule === undefined ? verbs.here : 'reaches that of the pod'
  const why = rule ?? noPattern
  return {
    where: rule === undefined ? 'here' : 'pod',
    rule: why,
    sentence: `A connection to the Unix socket ${name} ${verb}: ${why}.`,
  }
}

function explainAddress(question: Asked, circumstances: Circumstances): Explained {
  const { host, port, protocol = 'tcp' } = question
  checkHost(host)
  const facts = factsOf(circumstances)
  const decide = (address: string) => {
    const { where, why } = decideOutgoing(protocol, { address, port }, facts)
    return { where, rule: why }
  }
  if (isIP(host) !== 0) return explained(question, decide(normalAddress(host)))
  const addresses = addressesOf(host, circumstances)?.map(address => ({ address, ...decide(address) }))
  if (addresses !== undefined) return { ...explained(question, common(addresses)), addresses }
  const standing = circumstances.names.entriesFor(host)
  const { where, why } = decideName(protocol, { port, standing }, facts)
  return explained(question, { where, rule: why })
}

function checkHost(host: string): void {
  const parsed = isIP(host) === 0 ? parseEntry(host) : undefined
  const isName =
    parsed?.ok && parsed.entry.to.kind === 'name' && parsed.entry.port === 0 && !host.includes(':')
  if (parsed === undefined || isName) return
  const fault = parsed.ok ? `"${host}" is no address and no name` : parsed.fault
  throw invalid(`host: ${fault}`)
}

const invalid = (faults: string) => new Failure('params-invalid', { method: 'explainConnect', faults })

function factsOf({ rules, names, ...known }: Circumstances): OutgoingFacts {
  const { filter } = names.into(rules)
  return {
    outgoingRules: rules,
    outgoingFilter: filter === undefined ? undefined : new OutgoingFilter(filter),
    ...{ isOwnAddress, isForMany, listensHere, ...known },
  }
}

function addressesOf(host: string, { names }: Circumstances): readonly string[] | undefined {
  return isLocalhost(normalName(host)) ? ['127.0.0.1', '::1'] : names.addressesOf(host)
}

function common(addresses: readonly Decided[]): Decided {
  const [first, ...others] = addresses
  if (first !== undefined && others.every(({ where, rule }) => where === first.where && rule === first.rule))
    return { where: first.where, rule: first.rule }
  const isSame = others.every(({ where }) => where === first?.where)
  return isSame && first !== undefined
    ? { where: first.where, rule: 'its addresses all do, each by a rule of its own' }
    : { where: 'depends', rule: 'that depends on which of its addresses is taken' }
}

const verbs = {
  pod: 'leaves from the pod',
  here: 'stays on this machine',
  depends: 'may leave from the pod',
} as const

function explained({ host, port, protocol = 'tcp' }: Asked, { where, rule }: Decided): Explained {
  const what = protocol === 'tcp' ? 'A TCP connection' : 'A UDP datagram'
  return { where, rule, sentence: `${what} to ${host} port ${port} ${verbs[where]}: ${rule}.` }
}
