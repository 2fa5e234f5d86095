// What DNS messages say, as far as names are chosen and learned by it (RFC 1035), read and written by dns-packet.
import { type Answer, decode, encode, type Packet, type RecordType } from 'dns-packet'

export type Question = { id: number; name: string; type: RecordType }
export type Found = { name: string; addresses: string[] }
/** What an answer says to a question; records are all of its answer section. */
export type Reply = Found & { type: RecordType; records: number }

const recursionDesired = 1 << 8
const recursionAvailable = 1 << 7
export const rcodes = { noError: 0, serverFailure: 2, noSuchName: 3, notImplemented: 4 } as const

/** The one question of a message; undefined where it has none or several, or cannot be read. */
export function readQuestion(bytes: Buffer): Question | undefined {
  const questions = read(bytes)?.questions ?? []
  const [question] = questions
  if (question === undefined || questions.length > 1) return undefined
  return { id: bytes.readUInt16BE(0), name: question.name, type: question.type }
}

/** What an answer gives to the name that was asked for; undefined when it cannot be read. */
export function readReply(bytes: Buffer): Reply | undefined {
  const packet = read(bytes)
  const question = packet?.questions?.[0]
  if (packet === undefined || question === undefined) return undefined
  const { answers = [] } = packet
  const addresses = answers.flatMap(answer =>
    answer.type === 'A' || answer.type === 'AAAA' ? [answer.data] : [],
  )
  return { name: question.name, type: question.type, addresses, records: answers.length }
}

/** A message that can be read, or comes from a nameserver, has a header. */
export const idOf = (bytes: Buffer): number => (bytes.length < 2 ? -1 : bytes.readUInt16BE(0))

/** The flag TC: more was to be said than a datagram holds. */
export const isTruncated = (bytes: Buffer): boolean => ((bytes[2] ?? 0) & 2) !== 0

/** As dig calls them (RFC 1035, 4.1.1). */
const codes = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED']
export function rcodeOf(bytes: Buffer): string {
  const code = (bytes[3] ?? 0) & 0xf
  return codes[code] ?? `RCODE${code}`
}

export function writeAnswer({ id, name, type }: Question, rcode: number, answers: Answer[]): Buffer {
  return encode({
    type: 'response',
    id,
    flags: recursionDesired | recursionAvailable | rcode,
    questions: [{ type, name, class: 'IN' }],
    answers,
  })
}

function read(bytes: Buffer): Packet | undefined {
  try {
    return decode(bytes)
  } catch {
    return undefined
  }
}
