// How a session is asked for that has no target: the network of a namespace alone.

/** What is written in a target's place; source: mirrord. */
export const targetless = 'targetless'

export function isTargetless(target: string | undefined): boolean {
  return target === targetless
}
