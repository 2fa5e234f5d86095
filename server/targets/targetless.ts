// A session without a target: the network of a namespace, reached from a pod of the agent's own; pure.
import type { SessionConfig } from '../../protocol/config.ts'
import { targetless } from '../../protocol/targetless.ts'

/** What a configuration may not ask of a session without a target, one sentence each, beginning with the key. */
export function targetlessFaults({ target, agent, feature }: SessionConfig): string[] {
  const { namespace } = typeof target === 'object' ? target : { namespace: undefined }
  const elsewhere = agent?.namespace !== undefined && agent.namespace !== namespace
  return [
    ...(agent?.ephemeral
      ? [`agent.ephemeral: ${targetless} has no pod that a container could be added to`]
      : []),
    ...(elsewhere
      ? [
          `agent.namespace: the agent of ${targetless} runs in the namespace whose network it gives, name that as target.namespace or with -n`,
        ]
      : []),
    ...(asksForIncoming(feature)
      ? [
          `feature.network.incoming: nothing arrives at ${targetless}, leave it out, set it to "off", or name another file with -f`,
        ]
      : []),
    ...(feature?.hostname === true ? [`feature.hostname: ${targetless} has no host name to give`] : []),
  ]
}

function asksForIncoming(feature: SessionConfig['feature']): boolean {
  const incoming = feature?.network?.incoming
  if (incoming === undefined || incoming === 'off') return false
  return typeof incoming === 'string' || incoming.mode !== 'off'
}

/**
 * The configuration as it is in force there: nothing arrives, the loopback of a pod in which nobody but the agent listens is nobody's, and its
 * host name is the agent's alone.
 */
export function targetlessConfig<C extends SessionConfig>(config: C): C {
  const outgoing = config.feature?.network?.outgoing ?? true
  const own = typeof outgoing === 'boolean' ? { tcp: outgoing } : outgoing
  const network = {
    ...config.feature?.network,
    incoming: 'off' as const,
    outgoing: outgoing === false ? outgoing : { ...own, ignore_localhost: true },
  }
  return { ...config, feature: { ...config.feature, network, hostname: false } }
}
