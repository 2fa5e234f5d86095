// What the configuration says of connections that the process makes.
import type { SessionConfig } from '../../protocol/config.ts'
import type { OutgoingRules } from '../../protocol/hook/messages.ts'

export function outgoingRulesOf({ feature }: SessionConfig): OutgoingRules {
  const outgoing = feature?.network?.outgoing ?? true
  if (typeof outgoing === 'boolean') return { tcp: outgoing, ignoreLocalhost: false }
  return { tcp: outgoing.tcp ?? true, ignoreLocalhost: outgoing.ignore_localhost ?? false }
}
