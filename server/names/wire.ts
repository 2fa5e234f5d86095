// What DNS messages say, as far as names are chosen and learned by it (RFC 1035), read and written by dns-packet.
import { type Answer, decode, encode, type Packet, type RecordType } from 'dns-packet'

export type Question = { id: number; name: string; type: RecordType }
export type Found = { name: string; addresses: string[] }

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

/** The addresses that an answer gives to the name that was asked for; undefined when it cannot be read. */
export function readAddresses(bytes: Buffer): Found | undefined {
  const packet = read(bytes)
  const name = packet?.questions?.[0]?.name
  if (packet === undefined || name === undefined) return undefined
  const addresses = (packet.answers ?? []).flatMap(answer =>
    answer.type === 'A' || answer.type === 'AAAA' ? [answer.data] : [],
  )
  return { name, addresses }
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
