// Says why the kernel refused the agent in a pod, and which setting of the agent would help: decided from what confines it.
import { capability, hasCapability } from './stat.ts'

export type Confinement = {
  /** /proc/self/status. */
  status: string
  /** What the security module says of us; empty without one. */
  profile: string
  user: number
}

/** `right` is "CAP_SYS_ADMIN" and the like; `what` a verb with its object. */
export type Refusal = { what: string; errno: string; right: string }

/** The first cause that fits, in the order in which the kernel asks. */
export function explainRefusal(
  { what, errno, right }: Refusal,
  { status, profile, user }: Confinement,
): { reason: string; fix: string } {
  const refused = `${errno} when it tried to ${what}`
  const bit = capability[right.replace(/^CAP_/, '') as keyof typeof capability]
  if (bit !== undefined && !hasCapability(status, bit)) {
    if (user !== 0)
      return {
        reason: `${refused}, for its container runs as user ${user}, so that ${right} has no effect`,
        fix: fixOf({ runAsUser: 0, runAsNonRoot: false }),
      }
    return {
      reason: `${refused}, for its container lacks ${right}`,
      fix: `Take "capabilities" out of agent.security_context, or ask whoever runs the cluster to admit ${right} for the agent`,
    }
  }
  const selinux = /^[^:\s]+:[^:\s]+:([^:\s]+):/.exec(profile)?.[1]
  if (selinux !== undefined && selinux !== 'spc_t' && selinux !== 'unconfined_t')
    return {
      reason: `${refused} although it has ${right}: SELinux confines its container as ${selinux}`,
      fix: fixOf({ seLinuxOptions: { type: 'spc_t' } }),
    }
  if (selinux === undefined && profile !== '' && !profile.startsWith('unconfined'))
    return {
      reason: `${refused} although it has ${right}: AppArmor confines its container by the profile ${profile}`,
      fix: fixOf({ appArmorProfile: { type: 'Unconfined' } }),
    }
  if (/^Seccomp:\s*2$/m.test(status))
    return {
      reason: `${refused} although it has ${right}: a seccomp profile confines its container`,
      fix: fixOf({ seccompProfile: { type: 'Unconfined' } }),
    }
  return {
    reason: `${refused} although it has ${right}`,
    fix: "Look for what refuses it in the node's kernel log, and report it with that",
  }
}

function fixOf(context: object): string {
  return `Set agent.security_context to ${JSON.stringify(context)}`
}
