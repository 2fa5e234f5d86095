// Reads how a target in a cluster is written; pure.
import { Failure } from '../../../protocol/errors.ts'
import { suggestion } from '../../../protocol/suggest.ts'
import { isTargetless, targetless } from '../../../protocol/targetless.ts'
import { type ClusterKind, kindTable, rowNamed } from './kinds.ts'

export type ParsedTarget =
  | { by: 'kind'; kind: ClusterKind; name: string; container?: string }
  /** A name alone: of the one kind that has it. */
  | { by: 'name'; name: string; container?: string }
  /** Pods with these labels; the API server reads the selector. */
  | { by: 'label'; selector: string; container?: string }

/** Longest name of an object (RFC 1123 subdomain), of a container (RFC 1123 label). */
const longestName = 253
const longestLabel = 63
const shownLength = 100

/**
 * "deployment/shop", "deploy/shop/container/web", "deployment.apps/shop", "label/app=shop,tier=web", "shop". The key of a label may hold a
 * "/" itself ("app.kubernetes.io/name"), so that there only a last "/container/NAME" is one. Throws `target-invalid`.
 */
export function parseTarget(text: string): ParsedTarget {
  const wrong = (reason: string) => new Failure('target-invalid', { target: shown(text), reason })
  if (text.trim() === '') throw wrong('it is empty')
  const [, named = text, container] = /^(.*)\/container\/([^/]*)$/s.exec(text) ?? []
  const inside = container === undefined ? {} : { container }
  const fault = container === undefined ? undefined : nameFault(container, 'container', longestLabel)
  if (fault !== undefined) throw wrong(fault)
  if (/^labels?\//i.test(named)) {
    const selector = named.slice(named.indexOf('/') + 1)
    if (selector.trim() === '') throw wrong('the labels after "label/" are missing')
    return { by: 'label', selector, ...inside }
  }
  const parts = named.split('/')
  if (parts.length === 1) {
    const [name = ''] = parts
    const why = bareFault(name)
    if (why !== undefined) throw wrong(why)
    return { by: 'name', name, ...inside }
  }
  const [word = '', name = ''] = parts
  const why = kindFault(word) ?? extraFault(parts) ?? nameFault(name, rowNamed(word)!.kind, longestName)
  if (why !== undefined) throw wrong(why)
  return { by: 'kind', kind: rowNamed(word)!.kind, name, ...inside }
}

/** As `standin ls` would write it. */
export function writeTarget(kind: ClusterKind, name: string, container?: string): string {
  return `${kind}/${name}${container === undefined ? '' : `/container/${container}`}`
}

function bareFault(name: string): string | undefined {
  // Alone it does not come here.
  if (isTargetless(name)) return moreThanTargetless
  const row = rowNamed(name)
  if (row !== undefined && name !== '') return `the name after the kind is missing, as in "${row.kind}/NAME"`
  return nameFault(name, 'object', longestName)
}

const moreThanTargetless = `"${targetless}" takes nothing after it, and -n names the namespace`

function kindFault(word: string): string | undefined {
  if (word === '') return 'the kind before "/" is missing'
  if (rowNamed(word) !== undefined) return undefined
  if (isTargetless(word)) return moreThanTargetless
  const words = [...kindTable.flatMap(({ kind, resource }) => [kind, resource]), 'label']
  return `"${shown(word)}" is no kind of target${suggestion(word, words)}`
}

function extraFault(parts: readonly string[]): string | undefined {
  const extra = parts.slice(2).join('/')
  if (parts.length === 2) return undefined
  return extra === ''
    ? 'it ends with "/"'
    : `"/${shown(extra)}" is not understood, a container is named as "/container/NAME"`
}

function nameFault(name: string, what: string, longest: number): string | undefined {
  if (name === '') return `the name of the ${what} is missing`
  if (name.length > longest)
    return `the name of the ${what} has ${name.length} characters, Kubernetes allows ${longest}`
  const fits = what === 'container' ? /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/ : /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/
  if (fits.test(name)) return undefined
  const meant = name.toLowerCase()
  return fits.test(meant)
    ? `names in Kubernetes are lower case (did you mean "${meant}"?)`
    : `"${shown(name)}" is no name of Kubernetes, which has lower-case letters, digits, "-" and "."`
}

function shown(text: string): string {
  return text.length <= shownLength ? text : `${text.slice(0, shownLength)}...`
}
