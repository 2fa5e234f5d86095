// Looks a name up as a program of the pod would: by the pod's hosts file, then by the pod's nameservers with its search list.

import { parseResolvConf, type ResolverConfig } from '../../protocol/names/resolv-conf.ts'
import type { PodFiles } from './pod-files.ts'
import { createQuery, type Query } from './query.ts'
import { addressesIn, questionsFor } from './resolver-files.ts'

export type ResolveOptions = {
  files: Pick<PodFiles, 'nameFile'>
  signal: AbortSignal
  queryBy?: (config: ResolverConfig) => Query
}

/** What every system knows, whatever its files say (RFC 6761). */
const loopback = ['127.0.0.1', '::1']

/**
 * The addresses in the order in which they are to be tried; those of IPv6 are asked for only when the others did not do. Throws an error with
 * code ENOTFOUND when the name or an address of it does not exist, EAI_AGAIN when no nameserver could tell, or why the files cannot be read.
 */
export async function* resolveInPod(name: string, options: ResolveOptions): AsyncGenerator<string> {
  const { files, signal, queryBy = createQuery } = options
  const known = addressesIn(files.nameFile('/etc/hosts'), name)
  if (known.length > 0) return yield* known
  if (/^localhost\.?$/i.test(name)) return yield* loopback
  const config = parseResolvConf(files.nameFile('/etc/resolv.conf'))
  const query = queryBy(config)
  let failed = false
  for (const question of questionsFor(name, config)) {
    let found = false
    for (const type of ['A', 'AAAA'] as const) {
      const answer = await query(question, type, signal)
      if (answer === 'missing') break
      if (answer === 'silent' && !found) throw unresolved(name, 'EAI_AGAIN')
      if (!Array.isArray(answer)) {
        failed = true
        continue
      }
      if (answer.length > 0) found = true
      yield* answer
    }
    if (found) return
  }
  throw unresolved(name, failed ? 'EAI_AGAIN' : 'ENOTFOUND')
}

function unresolved(name: string, code: 'ENOTFOUND' | 'EAI_AGAIN'): NodeJS.ErrnoException {
  return Object.assign(new Error(`Cannot look up ${name}: ${code}`), { code })
}
