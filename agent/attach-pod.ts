// Enters a container of a pod, from a Job on its node or from an ephemeral container beside it, and serves the link in the bootstrap's place.
import type { Server } from 'node:net'
import { Failure } from '../protocol/errors.ts'
import type { AttachPodInvocation } from './arguments.ts'
import { endWhenAsked } from './end-when-asked.ts'
import { adoptListener } from './link/listen.ts'
import { readConfinement } from './linux/confinement.ts'
import { isRefused, readOtherwise } from './linux/proc.ts'
import { readEnvironmentOf, readSocketInodesOf } from './linux/ptrace-reader.ts'
import { log } from './log.ts'
import { end, serve } from './serve.ts'
import { findInPod } from './targets/find-in-pod.ts'
import { explainRefusal } from './targets/refusal.ts'

/** Resolves when it serves. Fails with `target-ended`, `agent-denied`, `agent-failed` or `kernel-feature-missing`. */
export async function attachPod(invocation: AttachPodInvocation, server: Server): Promise<void> {
  const { container, pod, session, key, graceMs, ephemeral } = invocation
  const target = `pod/${pod}`
  const explain = (thrown: unknown) => explained(thrown, pod)
  endWhenAsked(end)
  // Without CAP_DAC_READ_SEARCH, which the agent is not given, root may read no private file of a container that runs as another user.
  readOtherwise({ environment: readEnvironmentOf, socketInodes: readSocketInodesOf })
  try {
    const { pid, startTime } = findInPod(invocation)
    await serve({
      ...{ session, publicKey: key, graceMs },
      named: { target, kind: 'pod', name: pod, container, pid, startTime, inPod: ephemeral },
      listen: options => adoptListener(options, server),
      explain,
    })
    log(`serves pod ${pod}: pid ${pid} of container ${container.slice(0, 12)}`)
  } catch (thrown) {
    throw explain(thrown)
  }
}

/** In a cluster a refusal has other fixes than on this machine, and the user knows the pod, not its pids. */
function explained(thrown: unknown, pod: string): unknown {
  if (thrown instanceof Failure && thrown.kind === 'target-ended')
    return new Failure(
      'target-ended',
      { target: `pod/${pod}` },
      { detail: thrown.data.detail ?? thrown.message },
    )
  if (thrown instanceof Failure && thrown.kind === 'right-missing') {
    const { verb = '', errno = '', right = '' } = thrown.values
    const refusal = { what: String(verb), errno: String(errno), right: String(right) }
    return denied(pod, refusal, thrown)
  }
  if (!isRefused(thrown)) return thrown
  const { code = '', path = '' } = thrown as NodeJS.ErrnoException
  return denied(pod, { what: `read ${path}`, errno: code, right: 'CAP_SYS_PTRACE' }, thrown)
}

function denied(pod: string, refusal: Parameters<typeof explainRefusal>[0], cause: unknown): Failure {
  return new Failure('agent-denied', { pod, ...explainRefusal(refusal, readConfinement()) }, { cause })
}
