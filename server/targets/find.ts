// Finds what a target's name means: on this machine, or in a cluster.
import type { SessionConfig } from '../../protocol/config.ts'
import { isTargetless } from '../../protocol/targetless.ts'
import type { Log } from '../log.ts'
import { findOnMachine } from '../machine/find.ts'
import type { Found, OnStep, Tell } from './found.ts'

const machineForms = /^(process|container)\//

/** Whether a target's name is one of this machine; every other is a cluster's. */
export function isOnMachine(target: string): boolean {
  return machineForms.test(target) || target.startsWith('-')
}

/** Loads the Kubernetes room only when it is needed: it is large. */
export async function findTarget(
  target: string,
  question: { config: SessionConfig; signal: AbortSignal; log: Log; tell: Tell; onStep: OnStep },
): Promise<Found> {
  if (isOnMachine(target)) return findOnMachine(target, question)
  if (isTargetless(target)) {
    const { findTargetless } = await import('../kubernetes/find-targetless.ts')
    return findTargetless(question)
  }
  const { findInCluster } = await import('../kubernetes/find.ts')
  return findInCluster(target, question)
}
