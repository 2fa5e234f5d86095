// Which of a target's pods a session may take, in which order, and what the user is told about the choice; pure.
import type { V1Pod } from '@kubernetes/client-node'
import { type ContainerChoice, chooseContainer, containersOf, programsOf, statusOf } from './containers.ts'
import { containerReason, podState } from './pod-state.ts'

/** A pod and the container of it that a session would enter; `id` as the runtime knows it, without "containerd://". */
export type Candidate = { pod: V1Pod; container: { name: string; id: string }; how: ContainerChoice['how'] }

/** A pod that cannot be taken, and why not. */
export type Passed = { pod: V1Pod; reason: string }

/**
 * The pods that can be taken, the first of them first: the oldest, since it has shown that it stays, and by name among those of one second, so
 * that two sessions on an unchanged target take the same one. A session over several pods takes several candidates.
 */
export function candidatesOf(
  pods: readonly V1Pod[],
  container: string | undefined,
): { candidates: Candidate[]; passed: Passed[] } {
  const candidates: Candidate[] = []
  const passed: Passed[] = []
  for (const pod of [...pods].sort(byAge)) {
    const looked = look(pod, container)
    if (typeof looked === 'string') passed.push({ pod, reason: looked })
    else candidates.push(looked)
  }
  return { candidates, passed }
}

function look(pod: V1Pod, asked: string | undefined): Candidate | string {
  const state = podState(pod)
  if (!state.ready) return state.reason ?? 'it is not ready'
  const choice = chooseContainer(pod, asked)
  if (choice === undefined) return `it has no container "${asked}"`
  const status = statusOf(pod.status, choice.name)
  const id = runtimeId(status?.containerID)
  if (status === undefined || id === undefined) return `container "${choice.name}" has not been started`
  if (status.state?.running === undefined) return containerReason(status)
  return { pod, container: { name: choice.name, id }, how: choice.how }
}

function byAge(a: V1Pod, b: V1Pod): number {
  return createdMs(a) - createdMs(b) || (nameOf(a) < nameOf(b) ? -1 : 1)
}

/** The client library's type says Date, the API server's JSON is text. */
function createdMs({ metadata }: V1Pod): number {
  return new Date(metadata?.creationTimestamp ?? 0).getTime()
}

export function nameOf({ metadata }: V1Pod): string {
  return metadata?.name ?? ''
}

/** "containerd://4f1c" is "4f1c". */
export function runtimeId(containerId: string | undefined): string | undefined {
  const id = containerId?.replace(/^[-.\w]+:\/\//, '')
  return id === '' ? undefined : id
}

/** What the user should know: which of several pods was taken, which of several containers. */
export function choiceNotices(
  chosen: Candidate,
  others: { candidates: readonly Candidate[]; passed: readonly Passed[] },
): string[] {
  const name = nameOf(chosen.pod)
  const ready = others.candidates.filter(({ pod }) => pod !== chosen.pod).length
  // Pods that have ended, or are about to, serve nobody.
  const unready = others.passed.filter(
    ({ pod }) => !pod.metadata?.deletionTimestamp && !isOver(pod.status?.phase),
  ).length
  const all = 1 + ready + unready
  return [
    ...(all === 1
      ? []
      : [
          `Pod ${name} of ${all} is taken; the other ${all - 1 === 1 ? 'one is' : `${all - 1} are`} not${unreadyText(ready, unready)}`,
        ]),
    ...containerNotice(chosen),
  ]
}

function unreadyText(ready: number, unready: number): string {
  if (unready === 0) return ''
  return ready === 0 ? ' (not ready)' : ` (${unready} of them not ready)`
}

function isOver(phase: string | undefined): boolean {
  return phase === 'Succeeded' || phase === 'Failed'
}

function containerNotice({ pod, container, how }: Candidate): string[] {
  if (how !== 'first') return []
  const others = programsOf(pod.spec).filter(name => name !== container.name)
  const example = `"/container/${others[0]}"`
  return [
    `Container ${container.name} of pod ${nameOf(pod)} is taken, the first of ${others.length + 1}; name another with ${example}`,
  ]
}

/** Why a target without a candidate cannot be taken. `none`: what to say when it has no pod at all. */
export function noCandidateReason(passed: readonly Passed[], none: string): string {
  const [first, ...rest] = [...passed].sort((a, b) => weight(a) - weight(b))
  if (first === undefined) return none
  const told = `pod ${nameOf(first.pod)}: ${first.reason}`
  return rest.length === 0 ? told : `none of its ${rest.length + 1} pods is ready, ${told}`
}

/** The pod that tells most: one that tries to run, then one that ended, then one that is deleted. */
function weight({ pod }: Passed): number {
  return pod.metadata?.deletionTimestamp ? 2 : isOver(pod.status?.phase) ? 1 : 0
}

/** Names of all containers of the pods, for a container that none of them has. */
export function knownContainers(pods: readonly V1Pod[]): string[] {
  return [...new Set(pods.flatMap(({ spec }) => containersOf(spec).map(({ name }) => name)))]
}
