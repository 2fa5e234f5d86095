// Describes a target: of this machine, or of a cluster.
import type * as t from 'io-ts'
import type { describeTarget } from '../../protocol/rpc/targets.ts'
import type { Log } from '../log.ts'
import { describe as describeOnMachine } from '../machine/targets.ts'
import { isOnMachine } from './find.ts'

export async function describe(
  params: t.TypeOf<(typeof describeTarget)['params']>,
  question: { signal: AbortSignal; log: Log },
): Promise<t.TypeOf<(typeof describeTarget)['result']>> {
  const { target, namespace } = params
  if (isOnMachine(target)) return describeOnMachine(target, question)
  const { withApi } = await import('../kubernetes/with-api.ts')
  const { describeClusterTarget } = await import('../kubernetes/targets/describe.ts')
  return withApi(params, question, api =>
    describeClusterTarget(api, {
      target,
      namespace: namespace ?? api.namespace,
      signal: question.signal,
    }),
  )
}
