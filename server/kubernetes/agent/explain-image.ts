// How the pull of an agent's image goes, from the container's status and the kubelet's events; pure.
import { Failure } from '../../../protocol/errors.ts'
import { clip } from '../targets/pod-state.ts'
import { type Circumstances, type Explanation, lastOf, type Sight } from './sight.ts'

/** Nothing when the image is not what the container waits for. */
export function explainImage({ container, events }: Sight, about: Circumstances): Explanation | undefined {
  const waiting = container?.state?.waiting
  const reason = waiting?.reason ?? ''
  if (reason in wrong) return failed(wrong[reason] ?? reasonIn(waiting?.message, about), about, true)
  if (reason === 'ErrImagePull' || reason === 'ImagePullBackOff' || reason === 'RegistryUnavailable') {
    const told = lastOf(
      events,
      ({ message }) => message?.startsWith('Failed to pull image') === true,
    )?.message
    const text = reasonIn(told ?? waiting?.message, about)
    return failed(text, about, isFinal(text))
  }
  const last = lastOf(events, ({ reason }) => reason === 'Pulling' || reason === 'Pulled')
  if (last?.reason === 'Pulling') return { step: 'pull', message: `pulling image "${about.image}"` }
  return undefined
}

/** Reasons of a waiting container that no waiting heals; source: kubernetes pkg/kubelet/images/types.go. */
const wrong: Record<string, string | undefined> = {
  InvalidImageName: 'that is no name of an image',
  ErrImageNeverPull: 'the node does not have it, and agent.image_pull_policy is "Never"',
  ImageInspectError: undefined,
  SignatureValidationFailed: undefined,
}

function failed(reason: string, { image }: Circumstances, final: boolean): Explanation {
  const failure = new Failure('agent-image-failed', { image, reason })
  const message = `image "${image}" cannot be pulled: ${reason}`
  return final ? { step: 'pull', message, failure } : { step: 'pull', message, late: failure }
}

/** Registries answer so when asking again gives the same; a network that is away may be back. */
function isFinal(text: string): boolean {
  return /not found|manifest unknown|does not exist|unauthorized|denied|forbidden|authorization failed|no basic auth|no match for platform|no matching manifest|repository name/i.test(
    text,
  )
}

/** containerd and the kubelet repeat the image's name in front of every layer of the error. */
function reasonIn(message: string | undefined, { image }: Circumstances): string {
  const escaped = image.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const name = `"?(?:docker\\.io/(?:library/)?)?${escaped}"?`
  const front = new RegExp(
    `^(?:Failed to pull image|failed to pull and unpack image|failed to resolve reference|Back-off pulling image|rpc error: code = \\w+ desc =|failed to copy:|ErrImagePull:|failed to do request:)\\s*(?:${name})?:?\\s*`,
  )
  let text = message ?? 'the node does not say why'
  for (let before = ''; before !== text; ) {
    before = text
    text = text.replace(front, '')
  }
  return clip(text === '' ? (message ?? '') : text)
}
