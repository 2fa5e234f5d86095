// Describes a target: of this machine, or of a cluster.
import type * as t from 'io-ts'
import type { describeTarget } from '../../protocol/rpc/targets.ts'
import { isTargetless } from '../../protocol/targetless.ts'
import type { Log } from '../log.ts'
import { describe as describeOnMachine } from '../machine/targets.ts'
import { withConfig } from '../sessions/config.ts'
import { isOnMachine } from './find.ts'
import type { Tell } from './found.ts'

export async function describe(
  asked: t.TypeOf<(typeof describeTarget)['params']>,
  question: { signal: AbortSignal; log: Log; tell: Tell },
): Promise<t.TypeOf<(typeof describeTarget)['result']>> {
  const { target } = asked
  if (isOnMachine(target)) return describeOnMachine(target, question)
  const params = await withConfig(asked)
  const { withApi } = await import('../kubernetes/with-api.ts')
  const { describeClusterTarget } = await import('../kubernetes/targets/describe.ts')
  const { describeTargetless } = await import('../kubernetes/targets/describe-targetless.ts')
  return withApi(params, question, api => {
    const { agent, namespace = api.namespace } = params
    const options = { namespace, agent, signal: question.signal }
    return isTargetless(target)
      ? describeTargetless(api, options)
      : describeClusterTarget(api, { ...options, target })
  })
}
