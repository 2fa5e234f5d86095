// Targets found in the real cluster and agents brought to them as a session does it, with everything that was told meanwhile.
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { AgentConfig } from '../../../protocol/config.ts'
import { findInCluster } from '../../../server/kubernetes/find.ts'
import type { Agent, Found } from '../../../server/targets/found.ts'
import { type DeliveredAgent, linkDelivered } from '../../stage/bootstrap.ts'
import { until } from '../run.ts'
import { kubeconfig, kubectl } from './kubectl.ts'

/** What the nodes of the test cluster have. */
export const testImage = 'localhost/node:20'
const log = { level: 'error', write: () => {}, close: () => {} } as const
export const sessionId = 's1'

export type StartOptions = { config?: AgentConfig; signal?: AbortSignal; kubeconfig?: string }

export function find(namespace: string, path: string, options: StartOptions = {}): Promise<Found> {
  const agent = { image: testImage, ...options.config }
  const config = { kubeconfig: options.kubeconfig ?? kubeconfig, target: { path, namespace }, agent }
  const signal = options.signal ?? AbortSignal.timeout(60_000)
  return findInCluster(path, { config, signal, log, tell() {}, onStep() {} })
}

export type Keys = { publicKey: KeyObject; privateKey: KeyObject }

export type Steps = { step: string; message: string }[]

export type StartAgentOptions = {
  signal?: AbortSignal
  steps?: Steps
  onStep?(step: string, message: string): void
  tell?(level: string, text: string): void
  leaseTiming?: { lookMs: number; renewSeconds: number }
}

/** `steps` fills while it starts. */
export function start(found: Found, options: StartAgentOptions = {}): Promise<Agent & { keys: Keys }> {
  const keys = generateKeyPairSync('ed25519')
  const { signal = AbortSignal.timeout(60_000), steps = [], tell = () => {} } = options
  const onStep = (step: string, message: string) => {
    steps.push({ step, message })
    options.onStep?.(step, message)
  }
  return found
    .startAgent({
      ...{ ...keys, sessionId, graceMs: 5_000, signal, log, tell, onStep },
      ...(options.leaseTiming === undefined ? {} : { leaseTiming: options.leaseTiming }),
    })
    .then(agent => ({ ...agent, keys }))
}

/** Found, started, linked. */
export async function attached(
  namespace: string,
  path: string,
  options: StartOptions = {},
): Promise<{ found: Found; agent: Agent & { keys: Keys }; link: DeliveredAgent; end(): Promise<void> }> {
  const found = await find(namespace, path, options)
  const agent = await start(found)
  const link = await linkTo(agent)
  const end = async () => {
    if (agent.mustBeAsked) {
      link.link.endpoint.control({ id: 99, ask: 'end' })
      await agent.gone
    }
    link.link.close('the test is over')
    await agent.end()
  }
  return { found, agent, link, end }
}

export function linkTo(agent: Agent & { keys: Keys }): Promise<DeliveredAgent> {
  return linkDelivered({ connect: signal => agent.dial(signal), keys: agent.keys })
}

/** Jobs and pods of agents, as "kubectl get -o name" writes them. */
export async function agentObjects(namespace: string): Promise<string[]> {
  const selector = 'app.kubernetes.io/managed-by=standin'
  const text = await kubectl(['-n', namespace, 'get', 'jobs,pods', '-l', selector, '-o', 'name'])
  return text.split('\n').filter(line => line !== '')
}

export function nothingLeft(namespace: string): Promise<true | undefined> {
  return until('that nothing of an agent is left', 30_000, async () => {
    const left = await agentObjects(namespace)
    if (left.length > 0) throw new Error(`there is still ${left.join(', ')}`)
    return true
  })
}
