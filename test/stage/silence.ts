// An address of a stand-in pod's network at which nobody answers, not even with an error, and who dials it.
import { readFileSync } from 'node:fs'
import type { Pod } from './pod.ts'

export async function silenceIn({ namespace, cable }: Pod): Promise<string> {
  const address = '10.77.0.200'
  const at = ['lladdr', '02:00:00:00:00:99', 'dev', cable.first.device]
  await namespace.run('ip', 'neigh', 'replace', address, ...at)
  return address
}

/** Local ports of connections of that network namespace that are in progress. */
export function synSentIn(pid: number): string[] {
  const rows = readFileSync(`/proc/${pid}/net/tcp`, 'utf8').split('\n')
  return rows
    .map(row => row.trim().split(/\s+/))
    .flatMap(([, own, , state]) => (state === '02' ? [own!] : []))
}
