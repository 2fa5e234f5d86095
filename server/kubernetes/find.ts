// Finds a target in a cluster, chooses its pod and container, and brings an agent to it.
import type { SessionConfig } from '../../protocol/config.ts'
import { Failure } from '../../protocol/errors.ts'
import type { Log } from '../log.ts'
import type { Found } from '../targets/found.ts'

export async function findInCluster(
  target: string,
  _question: { config: SessionConfig; signal: AbortSignal; log: Log },
): Promise<Found> {
  throw new Failure('target-invalid', { target, reason: 'no cluster can be asked' })
}
