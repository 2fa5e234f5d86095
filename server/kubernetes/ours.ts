// How objects that standin made are known in a cluster.

/** What "standin clean" and people look for. */
export const ourLabels = {
  'app.kubernetes.io/name': 'standin-agent',
  'app.kubernetes.io/managed-by': 'standin',
} as const

export const ourSelector = Object.entries(ourLabels)
  .map(pair => pair.join('='))
  .join(',')

export function isOurs(metadata: { labels?: Readonly<Record<string, string>> } | undefined): boolean {
  return Object.entries(ourLabels).every(([key, value]) => metadata?.labels?.[key] === value)
}
