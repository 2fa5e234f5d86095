// What becomes of connections that the process makes, by the configuration and by what this machine can do.
import type { OutgoingFilterConfig, SessionConfig } from '../../protocol/config.ts'
import { asFailure } from '../../protocol/errors.ts'
import type { OutgoingRules } from '../../protocol/hook/messages.ts'
import type { Hooks } from '../processes/hooks.ts'

export function outgoingRulesOf({ feature }: SessionConfig): OutgoingRules {
  const outgoing = feature?.network?.outgoing ?? true
  if (typeof outgoing === 'boolean') return { tcp: outgoing, udp: outgoing, ignoreLocalhost: false }
  const { tcp = true, udp = true, ignore_localhost: ignoreLocalhost = false } = outgoing
  const filter = filterRulesOf(outgoing.filter)
  const { unix_streams: unix } = outgoing
  return {
    ...{ tcp, udp, ignoreLocalhost },
    ...(filter === undefined ? {} : { filter }),
    ...(unix === undefined ? {} : { unix: [unix].flat() }),
  }
}

function filterRulesOf(filter: OutgoingFilterConfig = {}): OutgoingRules['filter'] {
  const side = filter.remote === undefined ? 'local' : 'remote'
  const entries = filter[side]
  return entries === undefined ? undefined : { side, entries: [entries].flat(), learned: [] }
}

/** Begun before the agent is there, so that the relay starts while it does. Without a relay what is the pod's is refused, and never made from this machine. */
export async function settleOutgoing({ config, hooks }: { config: SessionConfig; hooks: Hooks }): Promise<{
  rules: OutgoingRules
  warnings: string[]
}> {
  const rules = outgoingRulesOf(config)
  if (!(rules.tcp || rules.unix) || !(await hooks.support()).hooks) return { rules, warnings: [] }
  try {
    return { rules: { ...rules, quiet: await hooks.relay.quiet() }, warnings: [] }
  } catch (thrown) {
    const { message } = asFailure(thrown, 'relay')
    return { rules, warnings: [`No connection can leave from the pod: ${message}`] }
  }
}
