// Which failure it is when the kernel does not know what the hooks need: it is too old, or something between hides it.
import { Failure } from '../protocol/errors.ts'

/** The newest of all that the hooks need: older kernels lack it whatever else they have. */
const newest = { feature: 'seccomp notification that answers with a descriptor', major: 5, minor: 14 }

/** `feature` is what was tried, `errno` the name of what it gave, `kernel` a release such as "6.8.0-45-generic". */
export function missingFeature(feature: string, errno: string, kernel: string): Failure {
  const { major, minor } = newest
  if (isOlder(kernel, major, minor)) {
    const since = `Linux ${major}.${minor}`
    return new Failure('kernel-feature-missing', { feature: newest.feature, kernel, since })
  }
  return new Failure('hooks-unavailable', {
    reason: `${feature} gives ${errno} although this is Linux ${kernel}`,
    fix: 'Allow it in the seccomp profile of this container, as in "docker run --security-opt seccomp=unconfined", or use a kernel that is built with CONFIG_SECCOMP_FILTER',
  })
}

function isOlder(kernel: string, major: number, minor: number): boolean {
  const [first = 0, second = 0] = kernel.split('.').map(part => Number.parseInt(part, 10))
  return first < major || (first === major && second < minor)
}
