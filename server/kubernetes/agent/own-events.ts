// Which events of a pod that lived before are about the ephemeral container that was added to it; pure.
import type { CoreV1Event, V1Pod } from '@kubernetes/client-node'
import { fieldManager } from './lease.ts'

/**
 * Those of the container itself, and those of the pod as a whole since it was added: a volume that could not be mounted an hour ago, or the
 * image of another container, is no reason why this one waits. `sinceMs` by the cluster's clock; until it is known, only the container's own.
 */
export function ownEvents(
  events: readonly CoreV1Event[],
  { container, sinceMs }: { container: string; sinceMs: number | undefined },
): CoreV1Event[] {
  return events.filter(event => {
    const path = event.involvedObject.fieldPath ?? ''
    if (path !== '') return path === `spec.ephemeralContainers{${container}}`
    return sinceMs !== undefined && lastMs(event) >= sinceMs
  })
}

function lastMs({ series, lastTimestamp, eventTime, firstTimestamp }: CoreV1Event): number {
  const time = series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? firstTimestamp
  return time === undefined ? 0 : Date.parse(String(time))
}

/** When we changed the pod last, as the API server noted it; to the second, as the times of events are. */
export function changedMs({ metadata }: V1Pod): number | undefined {
  const times = (metadata?.managedFields ?? [])
    .filter(({ manager, time }) => manager === fieldManager && time !== undefined)
    .map(({ time }) => Date.parse(String(time)))
  return times.length === 0 ? undefined : Math.max(...times)
}
