// Which ports of the pod a session wants, and which ports of the process they are: decided from configuration and facts alone.
import type { SessionConfig } from '../../protocol/config.ts'

export type PortRules = {
  readonly mirror: boolean
  readonly only: ReadonlySet<number> | undefined
  readonly ignored: ReadonlySet<number>
  /** Pod port to process port. */
  readonly toProcess: ReadonlyMap<number, number>
}

export function portRules({ feature }: SessionConfig): PortRules {
  const given = feature?.network?.incoming ?? 'mirror'
  const incoming = typeof given === 'string' ? { mode: given } : given
  const mapping = ('port_mapping' in incoming ? incoming.port_mapping : undefined) ?? []
  const only = 'ports' in incoming && incoming.ports !== undefined ? new Set(incoming.ports) : undefined
  return {
    mirror: (incoming.mode ?? 'mirror') === 'mirror',
    only,
    ignored: new Set('ignore_ports' in incoming ? incoming.ignore_ports : []),
    toProcess: new Map(mapping.map(([processPort, podPort]) => [podPort, processPort])),
  }
}

function sorted(ports: Iterable<number>): number[] {
  return [...new Set(ports)].sort((a, b) => a - b)
}

/** The pod's ports whose traffic may reach the process: those it listens on and those that the configuration names. */
export function wantedPodPorts(rules: PortRules, podPorts: readonly number[]): number[] {
  if (!rules.mirror) return []
  const named = rules.only ?? new Set([...podPorts, ...rules.toProcess.keys()])
  return sorted(named).filter(port => !rules.ignored.has(port))
}

/** The port on which the process serves a port of the pod. */
export function processPortOf(rules: PortRules, podPort: number): number {
  return rules.toProcess.get(podPort) ?? podPort
}

/** The process's ports that the hooks look after. */
export function wantedProcessPorts(rules: PortRules, podPorts: readonly number[]): number[] {
  return sorted(wantedPodPorts(rules, podPorts).map(port => processPortOf(rules, port)))
}

/**
 * What the agent captures: the wanted ports on which a hooked process listens, and all of the pod's while someone views the traffic.
 * A port that the configuration ignores is not shown either.
 */
export function capturedPorts(
  rules: PortRules,
  facts: { podPorts: readonly number[]; listening: readonly number[]; viewing: boolean },
): number[] {
  const wanted = wantedPodPorts(rules, facts.podPorts)
  const delivered = wanted.filter(port => facts.listening.includes(processPortOf(rules, port)))
  const shown = facts.viewing ? [...facts.podPorts, ...wanted].filter(port => !rules.ignored.has(port)) : []
  return sorted([...delivered, ...shown])
}
