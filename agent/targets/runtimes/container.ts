// What is known of one container, whichever runtime told it.

/** `pid` is that of its first process, seen from here, and 0 when it does not run. */
export type Container = { id: string; name: string; runtime?: string; pid: number }

/** What one runtime answered, `answered` being false when it is not on this machine; `failures` are commands that did not work. */
export type Answered = { containers: Container[]; failures: Error[]; answered: boolean }

export const notHere: Answered = { containers: [], failures: [], answered: false }

export function failed(failure: Error): Answered {
  return { containers: [], failures: [failure], answered: false }
}

/** Ids are given in part, as docker allows, but not so short that a name is taken for one. */
export function isIdPrefix(text: string, id: string): boolean {
  return /^[0-9a-f]{4,64}$/.test(text) && id.startsWith(text)
}

/**
 * Runtimes see each other's containers (docker's are containerd's): one first process is one container, and the first to tell counts.
 * Ids are no proof: plain containerd allows "web" in each of its namespaces.
 */
export function distinct(containers: readonly Container[]): Container[] {
  const seen = new Set<string>()
  return containers.filter(({ id, pid }) => {
    const key = pid > 0 ? `pid ${pid}` : `id ${id}`
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}
