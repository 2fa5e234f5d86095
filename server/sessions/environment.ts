// Which of the pod's environment variables the process gets: decided from the pod's environment and `feature.env` alone.
import type { SessionConfig } from '../../protocol/config.ts'
import { excludedVariables } from '../../protocol/excluded-variables.ts'

export type Environment = { set: Record<string, string>; unset: string[] }
type EnvFeature = NonNullable<NonNullable<SessionConfig['feature']>['env']>

/** Whether a name fits a pattern; `*` stands for any characters, `?` for one. Names are case-sensitive, as on Linux. */
export function fits(pattern: string, name: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`, 's').test(name)
}

function patternsOf(given: string | string[] | undefined): string[] | undefined {
  const list = typeof given === 'string' ? given.split(';') : given
  return list?.map(pattern => pattern.trim()).filter(pattern => pattern !== '')
}

const builtIn = Object.keys(excludedVariables)

function isExcluded(name: string): boolean {
  return builtIn.some(pattern => fits(pattern, name))
}

/** What the process gets on top of its own environment. A variable that is both set and unset is unset. */
export function decideEnvironment(
  pod: Readonly<Record<string, string>>,
  feature: EnvFeature | undefined,
): Environment {
  if (feature === false) return { set: {}, unset: [] }
  const { include, exclude, override, unset } = feature === undefined || feature === true ? {} : feature
  const included = patternsOf(include)
  const excluded = patternsOf(exclude) ?? []
  const wanted = (name: string) =>
    name !== '' &&
    (included?.includes(name) ||
      (!isExcluded(name) &&
        (included === undefined || included.some(pattern => fits(pattern, name))) &&
        !excluded.some(pattern => fits(pattern, name))))
  const set = Object.fromEntries(Object.entries(pod).filter(([name]) => wanted(name)))
  Object.assign(set, override)
  for (const name of unset ?? []) delete set[name]
  return { set, unset: [...new Set(unset ?? [])] }
}

/** As a supervisor takes it: null removes. */
export function startEnvironment({ set, unset }: Environment): Record<string, string | null> {
  return { ...set, ...Object.fromEntries(unset.map(name => [name, null])) }
}
