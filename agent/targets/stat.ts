// Reads /proc/PID/stat and /proc/PID/status (proc(5)): what tells a process from a later one with the same pid, its parent, its rights.

export type ProcessStat = { pid: number; name: string; state: string; parent: number; startTime: string }

/** The name is in parentheses and may itself hold spaces and parentheses, so fields are counted from the last one. */
export function parseStat(text: string): ProcessStat | undefined {
  const open = text.indexOf('(')
  const close = text.lastIndexOf(')')
  if (open < 0 || close < open) return undefined
  const [state, parent, ...rest] = text.slice(close + 2).split(' ')
  const startTime = rest[17]
  if (state === undefined || startTime === undefined) return undefined
  return {
    pid: Number.parseInt(text, 10),
    name: text.slice(open + 1, close),
    state,
    parent: Number(parent),
    startTime,
  }
}

/** A zombie (Z) or a dead one (X) has no address space, files or environment left. */
export function hasEnded({ state }: ProcessStat): boolean {
  return state === 'Z' || state === 'X'
}

export const capability = { NET_ADMIN: 12, NET_RAW: 13, SYS_PTRACE: 19, SYS_ADMIN: 21, BPF: 39 } as const

/** Whether the effective set of a /proc/PID/status holds a capability (capabilities(7)). */
export function hasCapability(status: string, bit: number): boolean {
  const hex = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'
  return ((BigInt(`0x${hex}`) >> BigInt(bit)) & 1n) === 1n
}
