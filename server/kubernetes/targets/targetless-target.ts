// What stands in a target's place when there is none: a namespace.
import type { Target } from '../../../protocol/rpc/targets.ts'
import { targetless } from '../../../protocol/targetless.ts'

export function targetlessTarget(namespace: string): Target {
  return { target: targetless, kind: targetless, name: namespace, ready: true, ports: [], namespace }
}
