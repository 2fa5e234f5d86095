// What is wrong with a configuration that the codec cannot say: pure, one sentence a fault, each beginning with the key.
import type { SessionConfig } from '../../protocol/config.ts'
import { type Entry, parseEntry } from '../../protocol/outgoing/entry.ts'
import { unixPatternFaults } from '../../protocol/outgoing/unix-streams.ts'
import { isTargetless } from '../../protocol/targetless.ts'
import { targetlessFaults } from '../targets/targetless.ts'

export function configFaults(config: SessionConfig): string[] {
  return [
    ...targetFaults(config),
    ...clusterFaults(config),
    ...agentFaults(config),
    ...envFaults(config),
    ...mappingFaults(config),
    ...outgoingFaults(config),
    ...unixFaults(config),
    ...dnsFaults(config),
    ...(isTargetless(pathOf(config)) ? targetlessFaults(config) : []),
  ]
}

function pathOf({ target }: SessionConfig): string | undefined {
  return typeof target === 'object' ? target.path : target
}

function targetFaults({ target }: SessionConfig): string[] {
  const { path, namespace } = typeof target === 'object' ? target : { path: target, namespace: undefined }
  return [
    ...(path?.trim() === '' ? ['target.path: it is empty'] : []),
    ...namespaceFaults('target.namespace', namespace),
  ]
}

function clusterFaults(config: SessionConfig): string[] {
  return (['kubeconfig', 'kube_context'] as const).flatMap(key =>
    config[key] === '' ? [`${key}: it is empty`] : [],
  )
}

/** Keys that only a Job can carry: an ephemeral container has no pod, resources or room of its own. */
const jobKeys = [
  'namespace',
  'image_pull_secrets',
  'labels',
  'annotations',
  'node_selector',
  'tolerations',
  'resources',
  'priority_class',
  'service_account',
  'ttl',
] as const

function agentFaults({ agent = {} }: SessionConfig): string[] {
  const { image, startup_timeout: seconds } = agent
  const useless = agent.ephemeral ? jobKeys.filter(key => agent[key] !== undefined) : []
  return [
    ...useless.map(key => `agent.${key}: an ephemeral container has none, and agent.ephemeral is true`),
    ...namespaceFaults('agent.namespace', agent.namespace),
    ...(image !== undefined && !/^\S+$/.test(image)
      ? [`agent.image: "${image}" is no name of an image`]
      : []),
    ...(seconds === 0 ? ['agent.startup_timeout: expected 1 second or more'] : []),
  ]
}

/** A DNS label; source: RFC 1123, and Kubernetes' "Object Names and IDs". */
function namespaceFaults(key: string, name: string | undefined): string[] {
  if (name === undefined || (name.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name))) return []
  return [
    `${key}: "${name.slice(0, 80)}" is no name of a namespace (a-z, 0-9 and "-", at most 63 characters)`,
  ]
}

function envFaults({ feature }: SessionConfig): string[] {
  const env = feature?.env
  const both = typeof env === 'object' && env.include !== undefined && env.exclude !== undefined
  return both ? ['feature.env: include and exclude exclude each other'] : []
}

function mappingFaults({ feature }: SessionConfig): string[] {
  const incoming = feature?.network?.incoming
  const pairs = (typeof incoming === 'object' ? incoming.port_mapping : undefined) ?? []
  const twice = (ports: number[]) => ports.find((port, index) => ports.indexOf(port) !== index)
  const process = twice(pairs.map(([processPort]) => processPort))
  const pod = twice(pairs.map(([, podPort]) => podPort))
  return [
    ...(process === undefined
      ? []
      : [`feature.network.incoming.port_mapping: process port ${process} twice`]),
    ...(pod === undefined ? [] : [`feature.network.incoming.port_mapping: pod port ${pod} twice`]),
  ]
}

function outgoingFaults({ feature }: SessionConfig): string[] {
  const outgoing = feature?.network?.outgoing
  const { remote, local } = (typeof outgoing === 'object' ? outgoing.filter : undefined) ?? {}
  const key = 'feature.network.outgoing.filter'
  if (remote !== undefined && local !== undefined)
    return [`${key}: remote and local exclude each other; keep the one that is shorter to write`]
  return [...entryFaults(`${key}.remote`, remote), ...entryFaults(`${key}.local`, local)]
}

function unixFaults({ feature }: SessionConfig): string[] {
  const outgoing = feature?.network?.outgoing
  const patterns = typeof outgoing === 'object' ? outgoing.unix_streams : undefined
  if (patterns === undefined) return []
  return unixPatternFaults([patterns].flat()).map(fault => `feature.network.outgoing.unix_streams: ${fault}`)
}

/** A question says no port and no address. */
function dnsFaults({ feature }: SessionConfig): string[] {
  const dns = feature?.network?.dns
  const { remote, local } = (typeof dns === 'object' ? dns.filter : undefined) ?? {}
  const key = 'feature.network.dns.filter'
  if (remote !== undefined && local !== undefined)
    return [`${key}: remote and local exclude each other; keep the one that is shorter to write`]
  return [...nameFaults(`${key}.remote`, remote), ...nameFaults(`${key}.local`, local)]
}

function nameFaults(key: string, entries: string | string[] | undefined): string[] {
  return entryFaults(key, entries, ({ to, port }) => to.kind === 'name' && port === 0)
}

function entryFaults(
  key: string,
  entries: string | string[] | undefined,
  fits = (_: Entry) => true,
): string[] {
  if (entries === undefined) return []
  const list = [entries].flat()
  if (list.length === 0) return [`${key}: it is empty; name what it is for, or leave the filter out`]
  return list.flatMap(text => {
    const parsed = parseEntry(text)
    if (!parsed.ok) return [`${key}: ${parsed.fault}`]
    return fits(parsed.entry)
      ? []
      : [
          `${key}: "${text.slice(0, 80)}" is no name alone; write a name without protocol and port, for no address is looked up`,
        ]
  })
}
