// Whether an agent can stand beside a pod at all, judged by the pod and, where the user may read it, its node; pure.
import type { V1Node, V1Pod } from '@kubernetes/client-node'
import { Failure } from '../../../protocol/errors.ts'

/** `pod-unsupported`, with what would work instead. */
export function unsupported(pod: V1Pod, node: V1Node | undefined): Failure | undefined {
  const name = pod.metadata?.name ?? ''
  const on = pod.spec?.nodeName ?? ''
  if (isWindows(pod, node))
    return new Failure('pod-unsupported', {
      pod: name,
      reason: `it runs on Windows (node "${on}"), and the agent needs Linux`,
      fix: 'Take a target on a Linux node',
    })
  const provider = virtualProvider(pod, node)
  if (provider === undefined) return undefined
  return new Failure('pod-unsupported', {
    pod: name,
    reason: `node "${on}" is virtual (${provider}), and no second pod can stand beside the first there`,
    fix: 'Take a target on an ordinary node',
  })
}

function isWindows(pod: V1Pod, node: V1Node | undefined): boolean {
  const os =
    pod.spec?.os?.name ??
    // Empty until a kubelet has told.
    (node?.status?.nodeInfo?.operatingSystem || undefined) ??
    node?.metadata?.labels?.['kubernetes.io/os'] ??
    pod.spec?.nodeSelector?.['kubernetes.io/os']
  return os?.toLowerCase() === 'windows'
}

/**
 * Sources: virtual-kubelet's node label and taint; Fargate's label of pods (set by its scheduler) and of nodes; the names that AKS, EKS and
 * Alibaba's ACK give such nodes, for those who may not read nodes.
 */
function virtualProvider(pod: V1Pod, node: V1Node | undefined): string | undefined {
  const labels = node?.metadata?.labels ?? {}
  const on = pod.spec?.nodeName ?? ''
  const fargate =
    labels['eks.amazonaws.com/compute-type'] === 'fargate' ||
    pod.metadata?.labels?.['eks.amazonaws.com/fargate-profile'] !== undefined ||
    on.startsWith('fargate-')
  if (fargate) return 'AWS Fargate'
  const taint = node?.spec?.taints?.find(({ key }) => key === 'virtual-kubelet.io/provider')
  if (taint !== undefined) return taint.value ?? 'virtual-kubelet'
  if (labels.type === 'virtual-kubelet' || labels['kubernetes.azure.com/managed'] === 'virtual-kubelet')
    return 'virtual-kubelet'
  return /^virtual-(node|kubelet)\b/.test(on) ? 'virtual-kubelet' : undefined
}

/** What works, but otherwise than a user may expect. */
export function placeNotices({ spec, metadata }: V1Pod): string[] {
  return spec?.hostNetwork === true
    ? [
        `Pod ${metadata?.name} uses the network of its node: what is sent to the node itself at the captured ports is mirrored, whichever of its programs it is for`,
      ]
    : []
}

/** Names of runtime classes, by custom, whose programs are processes of the node as any other's: with devices, or by another engine. */
const plainRuntimes = /^(nvidia.*|runc|crun|youki|amd|habana)$/i

/** Programs of a virtual machine or a user-space kernel are no processes of the node. To be asked only of a container that runs. */
export function sandboxed(pod: V1Pod, cause: Failure): Failure {
  const runtime = pod.spec?.runtimeClassName
  if (runtime === undefined || plainRuntimes.test(runtime)) return cause
  return new Failure(
    'pod-unsupported',
    {
      pod: pod.metadata?.name ?? '',
      reason: `its runtime class "${runtime}" hides its processes from its node`,
      fix: 'Set agent.ephemeral to true, or take a target without a runtime class',
    },
    { cause },
  )
}
