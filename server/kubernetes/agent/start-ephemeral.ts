// An agent as an ephemeral container in the target's own pod: patched in, watched, and left to end itself when it is asked to.
import type { V1EphemeralContainer, V1Pod } from '@kubernetes/client-node'
import type { AgentConfig } from '../../../protocol/config.ts'
import { Failure } from '../../../protocol/errors.ts'
import type { Agent, AgentOptions } from '../../targets/found.ts'
import { Narrator } from '../../targets/narrate.ts'
import { portForward } from '../channel/port-forward.ts'
import { type Api, apiPath, StatusError } from '../client/api.ts'
import { awaitRunning, type Running } from './await-running.ts'
import { bringAgent } from './bring.ts'
import { bootstrapCommand } from './bundle.ts'
import { agentContainer, imageOf } from './container.ts'
import { portTakenCode } from './explain-end.ts'
import { Follow } from './follow.ts'
import { startupTimeoutSeconds, waitSeconds } from './job.ts'
import { fieldManager } from './lease.ts'
import { agentName } from './marks.ts'
import { changedMs } from './own-events.ts'
import { refusalFailure, refusalOf, refusalText } from './refusal.ts'
import { agentRights, demandRights } from './rights.ts'
import { lossOf, type Place, podEnded } from './target-watch.ts'

/** What the user is told beforehand, since the entry stays even if the agent then fails to start. */
export function ephemeralNotice(pod: string): string {
  return `The agent is an ephemeral container of pod ${pod}: it ends with the session, and Kubernetes keeps its finished entry in the pod until the pod is deleted`
}

/** 127.0.0.1 is the pod's own there, and a port may be taken. */
const tries = 3
/** Below the ports that Linux gives out by itself (32768 and up). */
const ports = { first: 20_000, last: 32_000 }

export async function startEphemeral(
  api: Api,
  place: Place,
  config: AgentConfig,
  options: AgentOptions,
): Promise<Agent> {
  const narrator = new Narrator(options.onStep)
  const deadlineMs = performance.now() + startupTimeoutSeconds(config) * 1_000
  narrator.tell('job', `adding an ephemeral container to pod ${place.pod.metadata?.name}`)
  await demandRights(api, agentRights(config, place.namespace), options.signal)
  options.tell('info', ephemeralNotice(place.pod.metadata?.name ?? ''))
  for (let attempt = 1; ; attempt++) {
    try {
      return await tryPort(api, { place, config, options, narrator, deadlineMs, port: randomPort(place) })
    } catch (thrown) {
      const taken =
        thrown instanceof Failure && thrown.values.how === `exit code ${portTakenCode}, its port is taken`
      if (!taken || attempt === tries || options.signal.aborted)
        throw options.signal.aborted ? options.signal.reason : thrown
    }
  }
}

type Attempt = {
  place: Place
  config: AgentConfig
  options: AgentOptions
  narrator: Narrator
  deadlineMs: number
  port: number
}

async function tryPort(api: Api, attempt: Attempt): Promise<Agent> {
  const { place, config, options, port } = attempt
  const { namespace, pod } = place
  const podName = pod.metadata?.name ?? ''
  const name = agentName()
  const command = await bootstrapCommand({ publicKey: options.publicKey, port, waitSeconds })
  const selector = { fieldSelector: `metadata.name=${podName}` }
  const follow = new Follow(api, { namespace, selector, container: name }, options.log)
  try {
    const changed = await addContainer(api, place, options.signal, {
      name,
      targetContainerName: place.container.name,
      ...agentContainer('ephemeral', command, config),
    })
    follow.since(changedMs(changed))
    const running = runningOf(attempt, follow)
    await awaitRunning(running)
    const address = { namespace, pod: podName, port }
    await bringAgent({ api, address, place, options, running, ephemeral: true })
    follow.started()
    return {
      dial: signal => portForward(api, { ...address, signal }),
      gone: follow.gone,
      mustBeAsked: true,
      end: async () => follow.close(),
    }
  } catch (thrown) {
    // Nobody can end the container from outside: what waits in it for a delivery, or without a link, ends by itself.
    follow.close()
    throw thrown
  }
}

function runningOf({ place, config, options, narrator, deadlineMs }: Attempt, follow: Follow): Running {
  return {
    follow,
    about: {
      namespace: place.namespace,
      node: place.pod.spec?.nodeName ?? '',
      image: imageOf(config),
      ephemeral: true,
      selects: false,
    },
    narrator,
    deadlineMs,
    timeoutSeconds: startupTimeoutSeconds(config),
    signal: options.signal,
    hindrance() {
      if (follow.goneReason === 'its pod was deleted') return podEnded(place, 'was deleted')
      const { pod } = follow.sight
      const loss = pod === undefined ? undefined : lossOf(pod, place)
      return loss === undefined ? undefined : podEnded(place, loss)
    },
  }
}

async function addContainer(
  api: Api,
  { namespace, pod }: Place,
  signal: AbortSignal,
  container: V1EphemeralContainer,
): Promise<V1Pod> {
  const podName = pod.metadata?.name ?? ''
  try {
    return await api.request<V1Pod>({
      method: 'PATCH',
      path: apiPath('/api/v1/namespaces', namespace, 'pods', podName, 'ephemeralcontainers'),
      query: { fieldManager, fieldValidation: 'Strict' },
      body: { metadata: { uid: pod.metadata?.uid }, spec: { ephemeralContainers: [container] } },
      asks: { verb: 'patch', resource: 'pods/ephemeralcontainers', namespace },
      signal,
    })
  } catch (thrown) {
    if (thrown instanceof StatusError && thrown.status === 404)
      throw new Failure('pod-ended', { pod: podName, what: 'was deleted' }, { cause: thrown })
    if (thrown instanceof StatusError && thrown.status === 409)
      throw new Failure('pod-ended', { pod: podName, what: 'was replaced' }, { cause: thrown })
    const refused = { namespace, ephemeral: true }
    const text = refusalText(thrown)
    throw text === undefined ? thrown : refusalFailure(refusalOf(text, refused), refused, thrown)
  }
}

/** None that the pod's containers declare. */
function randomPort({ pod }: Place): number {
  const declared = (pod.spec?.containers ?? [])
    .flatMap(each => each.ports ?? [])
    .map(each => each.containerPort)
  for (;;) {
    const port = ports.first + Math.floor(Math.random() * (ports.last - ports.first))
    if (!declared.includes(port)) return port
  }
}
