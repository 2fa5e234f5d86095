// What this user may do with a target, decided from what the kernel says of both.

export type Rights = {
  /** The target's network namespace is ours. */
  sameNetwork: boolean
  /** The target's user namespace is ours. */
  sameUser: boolean
  /** We made the target's user namespace, which gives us every right in it (user_namespaces(7)). */
  ownsUser: boolean
  /** CAP_SYS_ADMIN and CAP_NET_RAW in our user namespace, hence in those below it. */
  admin: boolean
  raw: boolean
}

/** The command to put before the agent so that it runs in the target's user namespace, where it then has all rights. */
export function decideEnter(rights: Rights, pid: number): string[] {
  if (rights.sameUser || rights.admin || !rights.ownsUser) return []
  return ['nsenter', '--user', '--preserve-credentials', '--target', String(pid), '--']
}

/** Why no session can start there, or undefined when one can, as far as can be told without trying. */
export function decideObstacle(rights: Rights): string | undefined {
  if (!rights.sameUser && !rights.admin && rights.ownsUser) return undefined
  if (!rights.sameNetwork && !rights.admin)
    return 'entering its network namespace needs CAP_SYS_ADMIN: run as root'
  if (!rights.raw) return 'capturing packets needs CAP_NET_RAW: run as root'
  return undefined
}
