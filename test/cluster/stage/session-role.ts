// The Role that README tells users to copy, read out of the page itself.
import { readFileSync } from 'node:fs'
import { parseAllDocuments } from 'yaml'
import type { Rule } from './users.ts'

/** The rules of the first Role or ClusterRole in a ```yaml fence of README.md. */
export function roleOfReadme(): Rule[] {
  const page = readFileSync('README.md', 'utf8')
  const documents = [...page.matchAll(/^```ya?ml\n([\s\S]*?)^```/gm)].flatMap(([, text]) =>
    parseAllDocuments(text!).map(document => document.toJS()),
  )
  const role = documents.find(document => /^(Cluster)?Role$/.test(document?.kind ?? ''))
  if (role === undefined) throw new Error('README.md has no Role in a ```yaml fence')
  return role.rules
}

export type Permission = { group: string; resource: string; verb: string }

/** One entry for each verb on each resource. */
export function permissionsOf(rules: readonly Rule[]): Permission[] {
  return rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap(group => resources.flatMap(resource => verbs.map(verb => ({ group, resource, verb })))),
  )
}

/** The same rights but one. */
export function rulesWithout(rules: readonly Rule[], missing: Permission): Rule[] {
  const isMissing = ({ group, resource, verb }: Permission) =>
    group === missing.group && resource === missing.resource && verb === missing.verb
  return permissionsOf(rules)
    .filter(permission => !isMissing(permission))
    .map(({ group, resource, verb }) => ({ apiGroups: [group], resources: [resource], verbs: [verb] }))
}

/** As RBAC's own messages and ours write it: "create jobs.batch". */
export function permissionText({ group, resource, verb }: Permission): string {
  return `${verb} ${group === '' ? resource : `${resource.replace(/(\/|$)/, `.${group}$1`)}`}`
}
