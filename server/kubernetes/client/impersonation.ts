// The headers that ask a cluster to take us for another user; pure.
import type { UserEntry } from './kubeconfig-file.ts'

/** Source: Kubernetes documentation, "User impersonation". */
export function impersonationOf(user: UserEntry): Record<string, string | string[]> {
  if (!user.as) return {}
  const extra = Object.entries(user['as-user-extra'] ?? {}).map(([key, values]) => [
    `Impersonate-Extra-${headerKey(key)}`,
    values,
  ])
  return {
    'Impersonate-User': user.as,
    ...(user['as-uid'] ? { 'Impersonate-Uid': user['as-uid'] } : {}),
    ...(user['as-groups']?.length ? { 'Impersonate-Group': user['as-groups'] } : {}),
    ...Object.fromEntries(extra),
  }
}

/** What the name of a header cannot hold is percent-encoded; source: client-go, transport/round_trippers.go, headerKeyEscape. */
function headerKey(key: string): string {
  return [...Buffer.from(key, 'utf8')]
    .map(byte => {
      const character = String.fromCharCode(byte)
      const allowed = /[!#$&'*+.^_`|~0-9A-Za-z-]/.test(character)
      return allowed ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
    })
    .join('')
}
