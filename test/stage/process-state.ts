// What the kernel says about a process, and waiting until it says something.
import { readFileSync } from 'node:fs'

/** The letter of a process's state (R, S, D, T, t, Z), or undefined when it is gone. */
export function stateOf(pid: number): string | undefined {
  return statusOf(pid, 'State')?.[0]
}

export function statusOf(pid: number, field: string): string | undefined {
  try {
    const line = readFileSync(`/proc/${pid}/status`, 'utf8')
      .split('\n')
      .find(line => line.startsWith(`${field}:`))
    return line?.slice(field.length + 1).trim()
  } catch {
    return undefined
  }
}

const accepts: Partial<Record<NodeJS.Architecture, readonly string[]>> = {
  x64: ['43', '288'],
  arm64: ['202', '242'],
}

const receives: typeof accepts = { x64: ['45'], arm64: ['207'] }

/** Whether the process's first thread is blocked in accept or accept4, held or not (proc(5), /proc/PID/syscall). */
export const inAccept = (pid: number): boolean => isIn(accepts, pid)
/** The same of recvfrom. */
export const inReceive = (pid: number): boolean => isIn(receives, pid)

function isIn(calls: typeof accepts, pid: number): boolean {
  try {
    const [number = ''] = readFileSync(`/proc/${pid}/syscall`, 'utf8').split(' ')
    return calls[process.arch]?.includes(number) ?? false
  } catch {
    return false
  }
}

/** Resolves when `look` is true; the kernel tells nobody of such states, so it is asked every few milliseconds. */
export async function untilState(what: string, look: () => boolean, withinMs = 10_000): Promise<void> {
  const deadline = Date.now() + withinMs
  while (!look()) {
    if (Date.now() > deadline) throw new Error(`${what} did not come about within ${withinMs} ms`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}
