// Asks nameservers one question, each in its turn, as a C library does; sockets are made in the network namespace that this process is in.
import { Resolver } from 'node:dns/promises'
import type { ResolverConfig } from '../../protocol/names/resolv-conf.ts'

export type RecordType = 'A' | 'AAAA'

/** `missing`: there is no such name; an empty list: it exists, without such a record. `failed`: a server could not say; `silent`: none said anything. */
export type Answer = string[] | 'missing' | 'failed' | 'silent'

export type Query = (name: string, type: RecordType, signal: AbortSignal) => Promise<Answer>

/** Takes at most attempts x nameservers x timeout; an abort ends it at once with `silent`. */
export function createQuery({ nameservers, timeoutMs, attempts }: ResolverConfig): Query {
  return async (name, type, signal) => {
    let last: Answer = 'silent'
    for (let attempt = 0; attempt < attempts; attempt++)
      for (const server of nameservers) {
        if (signal.aborted) return 'silent'
        const answer = await askServer(server, { name, type, timeoutMs, signal })
        if (answer !== 'failed' && answer !== 'silent') return answer
        last = answer === 'failed' ? answer : last
      }
    return last
  }
}

async function askServer(
  server: string,
  question: { name: string; type: RecordType; timeoutMs: number; signal: AbortSignal },
): Promise<Answer> {
  const { name, type, timeoutMs, signal } = question
  // With several servers it would take the first answer for the last word, be it SERVFAIL.
  const resolver = new Resolver({ timeout: timeoutMs, tries: 1 })
  resolver.setServers([server])
  const cancel = () => resolver.cancel()
  signal.addEventListener('abort', cancel, { once: true })
  try {
    return await (type === 'A' ? resolver.resolve4(name) : resolver.resolve6(name))
  } catch (error) {
    return answerOf((error as NodeJS.ErrnoException).code)
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}

function answerOf(code: string | undefined): Answer {
  switch (code) {
    case 'ENODATA':
      return []
    // A name that no server could ever have is one that does not exist.
    case 'ENOTFOUND':
    case 'EBADNAME':
      return 'missing'
    case 'ETIMEOUT':
    case 'ECONNREFUSED':
    case 'ECANCELLED':
      return 'silent'
    default:
      return 'failed'
  }
}
