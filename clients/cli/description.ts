// The description of a target as a page for people.
import type * as t from 'io-ts'
import type { describeTarget } from '../../protocol/rpc/targets.ts'
import { printable } from './table.ts'

type Description = t.TypeOf<(typeof describeTarget)['result']>
type Pod = NonNullable<Description['pods']>[number]
type Container = Pod['containers'][number]

export function descriptionText(description: Description): string {
  const lines = [
    ...headLines(description),
    ...podLines(description.pods ?? []),
    ...needLines(description.needs),
  ]
  return lines.map(line => `${printable(line).trimEnd()}\n`).join('')
}

function headLines({
  target,
  hostname,
  addresses,
  listeners,
  sidecar,
  pods,
  ownNetwork,
}: Description): string[] {
  const { namespace, ready, reason, pods: counts, ports, command, pid } = target
  const inCluster = pods !== undefined
  const found = [
    ['namespace', namespace],
    ['ready', ready ? 'yes' : `no: ${reason ?? 'no reason is known'}`],
    ['pods', counts && `${counts.ready} of ${counts.total} ready`],
    ['process', pid && [String(pid), command].filter(Boolean).join(', ')],
    ['host name', hostname],
    ['addresses', addresses.join(', ')],
    ['ports', ports.length > 0 ? `${ports.join(', ')}${inCluster ? ' (declared)' : ''}` : 'none'],
    ['listens on', listeners.map(({ address, port }) => `${address}:${port}`).join(', ')],
    ['network', inCluster || ownNetwork ? undefined : "this machine's, shared with everything on it"],
    ['sidecar', sidecar && `${sidecar}: traffic is taken behind it`],
  ] as const
  const rows = found.filter(([, value]) => value !== undefined && value !== '')
  return [target.target, ...rows.map(([name, value]) => `  ${name.padEnd(12)}${value}`)]
}

function podLines(pods: readonly Pod[]): string[] {
  return pods.flatMap(pod => [
    '',
    `pod/${pod.name}${pod.chosen ? '  (a session would take this one)' : ''}`,
    `  ${[pod.phase, state(pod), pod.node && `node ${pod.node}`, pod.addresses.join(', ')].filter(Boolean).join('; ')}`,
    ...pod.containers.flatMap(container => containerLines(container, pod.chosen)),
  ])
}

function containerLines(container: Container, podChosen: boolean): string[] {
  const { name, image, chosen, restarts, ports, probes, sidecar } = container
  const marks = [sidecar && `sidecar: ${sidecar}`, podChosen && chosen && 'a session would take this one']
  const mark = marks.filter(Boolean).join(', ')
  const facts = [image, state(container), restarts === 0 ? '' : `${restarts} restarts`]
    .filter(Boolean)
    .join('; ')
  return [
    `  container/${name}${mark === '' ? '' : `  (${mark})`}`,
    `    ${facts}`,
    ...(ports.length === 0 ? [] : [`    ports ${ports.map(portText).join(', ')}`]),
    ...probes.map(
      ({ probe, by, port, path }) => `    ${probe} probe: ${by}${port ? ` port ${port}` : ''}${path ?? ''}`,
    ),
  ]
}

function portText({ port, protocol, name }: Container['ports'][number]): string {
  return `${port}/${protocol}${name === undefined ? '' : ` (${name})`}`
}

function state({ ready, reason }: { ready: boolean; reason?: string | undefined }): string {
  return ready ? 'ready' : `not ready${reason === undefined ? '' : `: ${reason}`}`
}

function needLines(needs: Description['needs']): string[] {
  if (needs.length === 0) return []
  return [
    '',
    `A session needs (${verdict(needs)})`,
    ...needs.flatMap(({ what, granted, fix, unknown }) => [
      `  ${granted ? 'yes' : unknown === undefined ? 'NO ' : '?  '}  ${what}`,
      ...(unknown === undefined ? [] : [`       not known: ${unknown}`]),
      ...(granted || fix === undefined ? [] : [`       fix: ${fix}`]),
    ]),
  ]
}

function verdict(needs: Description['needs']): string {
  const unknown = needs.filter(need => need.unknown !== undefined).length
  const missing = needs.filter(({ granted }) => !granted).length - unknown
  const rest = unknown === 0 ? '' : `, ${unknown} not known`
  if (missing > 0) return `${missing} of ${needs.length} missing${rest}`
  return unknown === 0 ? 'all of it is there' : `all that is known is there${rest}`
}
