// How a program may have called a name that a resolver asks for: by itself, or as what a search list makes of it.
import { normalName } from '../../protocol/outgoing/entry.ts'

export function spellings(asked: string, search: readonly string[]): string[] {
  const name = normalName(asked)
  const short = search
    .map(normalName)
    .filter(domain => name.endsWith(`.${domain}`))
    .map(domain => name.slice(0, -domain.length - 1))
  return [name, ...short]
}

/** Whether a name is that one, or within its domain. */
export const isUnder = (name: string, domain: string): boolean =>
  name === domain || name.endsWith(`.${domain}`)
