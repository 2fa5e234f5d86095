// Which failure it is when the kernel refuses a step of the capture: a missing right, a feature that it does not have, or a mistake of ours.
import { Failure } from '../../protocol/errors.ts'

/** A feature of the kernel, as users read it, with the first version of Linux that has it (packet(7)). */
export type CaptureFeature = { feature: string; since: string }
export const packetSockets: CaptureFeature = {
  feature: 'packet sockets (AF_PACKET, CONFIG_PACKET)',
  since: 'Linux 2.2',
}
export const packetRing: CaptureFeature = { feature: 'packet rings (TPACKET_V3)', since: 'Linux 3.2' }

/** What kernels without a feature, and sandboxes that hide one, answer to whoever asks for it. */
const absent: ReadonlySet<string> = new Set([
  'EAFNOSUPPORT',
  'ESOCKTNOSUPPORT',
  'EPROTONOSUPPORT',
  'EOPNOTSUPP',
  'ENOPROTOOPT',
  'ENOSYS',
  'EINVAL',
])

/** `errno` is among its values, whichever it is. `step` is the call as one writes it; `needs` what only this step tells whether it is there; `kernel` a release such as "6.8.0-45-generic". */
export function captureRefusal(
  { step, errno, needs }: { step: string; errno: string; needs?: CaptureFeature | undefined },
  kernel: string,
): Failure {
  if (errno === 'EPERM' || errno === 'EACCES')
    return new Failure('right-missing', { verb: 'capture packets', errno, right: 'CAP_NET_RAW' })
  if (needs !== undefined && absent.has(errno))
    return new Failure(
      'kernel-feature-missing',
      { ...needs, kernel, errno },
      { detail: `${step} gave ${errno}` },
    )
  return new Failure('agent-failed', { reason: `${step} failed with ${errno}`, errno })
}
