// Label selectors: as text for the API server, and matched against labels here; pure.
import type { V1LabelSelector } from '@kubernetes/client-node'
import type { ClusterKind } from './kinds.ts'
import type { Workload } from './workload-state.ts'

/** The selector of a workload's pods as `labelSelector` takes it; nothing when it selects none. */
export function podSelector(kind: ClusterKind, { spec, status }: Workload): string | undefined {
  if (kind === 'service') {
    if (spec?.type === 'ExternalName') return undefined
    return nonEmpty(equalities(spec?.selector as Record<string, string> | undefined))
  }
  const selector = spec?.selector as V1LabelSelector | undefined
  // A rollout with a workloadRef has none of its own: its controller writes the one in force into the status.
  return nonEmpty(selector === undefined ? (status?.selector ?? '') : selectorText(selector))
}

/** Source: Kubernetes, "Labels and Selectors", set-based requirements. */
export function selectorText({ matchLabels, matchExpressions }: V1LabelSelector): string {
  const sets = (matchExpressions ?? []).map(({ key, operator, values }) => {
    if (operator === 'Exists') return key
    if (operator === 'DoesNotExist') return `!${key}`
    return `${key} ${operator === 'In' ? 'in' : 'notin'} (${(values ?? []).join(',')})`
  })
  return [equalities(matchLabels), ...sets].filter(part => part !== '').join(',')
}

/** Whether labels have all that a service selects. */
export function hasLabels(
  labels: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(wanted).every(([key, value]) => labels[key] === value)
}

function equalities(labels: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(labels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
}

function nonEmpty(text: string): string | undefined {
  return text === '' ? undefined : text
}
