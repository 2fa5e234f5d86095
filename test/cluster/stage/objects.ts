// Lists everything that is in a cluster, so that a test can hold that a session left nothing.
import { createHash } from 'node:crypto'
import { kubectl } from './kubectl.ts'

export interface ObjectsOptions {
  /** Only objects of these namespaces, for tests that share the cluster with others; default all, and what has no namespace. */
  namespaces?: readonly string[]
}

// Kinds that a quiet cluster rewrites all the time: only that they are there is compared.
const restless = new Set([
  'Lease',
  'Endpoints',
  'EndpointSlice',
  'Node',
  'CSINode',
  'APIService',
  'Namespace',
  'ServiceCIDR',
  'IPAddress',
])

// Controllers write these into objects on their own, in their own time.
const restlessAnnotation =
  /^(deployment\.kubernetes\.io\/revision|control-plane\.alpha\.kubernetes\.io\/leader|endpoints\.kubernetes\.io\/.*)$/

/**
 * One line an object, sorted: `Kind namespace/name digest`, where the digest covers labels, annotations, owners and everything but status.
 * Without Events, which are no state; two equal lists mean that nothing was left, taken or changed.
 */
export async function objects(options: ObjectsOptions = {}): Promise<string[]> {
  const { items }: { items: Item[] } = JSON.parse(
    await kubectl(['get', await resources(), '-A', '-o', 'json'], { timeoutMs: 60_000 }),
  )
  const chosen =
    options.namespaces === undefined
      ? items
      : items.filter(item => options.namespaces?.includes(item.metadata.namespace ?? ''))
  return chosen.map(line).sort()
}

/** What is in one list and not in the other; both empty when nothing was left, taken or changed. */
export function difference(
  before: readonly string[],
  after: readonly string[],
): { left: string[]; taken: string[] } {
  return {
    left: after.filter(line => !before.includes(line)),
    taken: before.filter(line => !after.includes(line)),
  }
}

interface Item {
  apiVersion: string
  kind: string
  metadata: {
    name: string
    namespace?: string
    labels?: object
    annotations?: Record<string, string>
    ownerReferences?: object[]
    finalizers?: string[]
  }
  status?: unknown
}

let known: Promise<string> | undefined
/** All kinds that can be listed, each once, for one call of kubectl. */
function resources(): Promise<string> {
  known ??= kubectl(['api-resources', '--verbs=list', '--no-headers', '-o', 'name']).then(text =>
    text
      .split('\n')
      // The same events under two groups; statuses that are computed for the asker.
      .filter(name => !/^(events|componentstatuses)(\.|$)/.test(name))
      .join(','),
  )
  return known
}

function line(item: Item): string {
  const { metadata, status: _, ...rest } = item
  const { labels, annotations = {}, ownerReferences, finalizers } = metadata
  const kept = Object.fromEntries(
    Object.entries(annotations).filter(([name]) => !restlessAnnotation.test(name)),
  )
  const content = restless.has(item.kind)
    ? ''
    : JSON.stringify([labels, kept, ownerReferences, finalizers, rest])
  const digest = content === '' ? '-' : createHash('sha256').update(content).digest('hex').slice(0, 12)
  return `${item.kind} ${metadata.namespace ?? ''}/${metadata.name} ${digest}`
}
