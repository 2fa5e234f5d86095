// The demo's last look: whether anything that it started is still there.
import { readdirSync, readlinkSync } from 'node:fs'
import { filesOfStandin, processesOf, untilNothing } from '../stage/leftovers.ts'

export type Before = { files: readonly string[] }

export function lookBefore(): Before {
  return { files: filesOfStandin() }
}

/** The network namespace of a process, as the kernel names it. */
export function networkOf(pid: number): string {
  return readlinkSync(`/proc/${pid}/ns/net`)
}

/** Rejects with what is still there after 5 s. Sockets need no look of their own: they end with their processes. */
export async function untilClean(mark: string, before: Before, networks: readonly string[]): Promise<void> {
  await untilNothing('processes', () => processesOf(mark), 5_000)
  await untilNothing('namespaces', () => networks.filter(isUsed), 5_000)
  await untilNothing('files', () => filesOfStandin().filter(file => !before.files.includes(file)), 5_000)
}

function isUsed(network: string): boolean {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .some(name => {
      try {
        return readlinkSync(`/proc/${name}/ns/net`) === network
      } catch {
        return false
      }
    })
}
