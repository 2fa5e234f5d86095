// Reads the host name that a process sees, by entering its UTS namespace (uts_namespaces(7)).
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { parseEnvironment } from '../targets/environment.ts'
import { enterNamespace } from './namespace.ts'
import { readEnvironment } from './proc.ts'

/** This thread stays in that namespace. Without the right to enter, what the container was told of its name is the next best. */
export function enterHostname(pid: number): string {
  try {
    enterNamespace(pid, 'uts')
    return hostname()
  } catch {
    return nameByFile(pid) ?? parseEnvironment(readEnvironment(pid) ?? Buffer.alloc(0)).HOSTNAME ?? hostname()
  }
}

function nameByFile(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/root/etc/hostname`, 'utf8').trim() || undefined
  } catch {
    return undefined
  }
}
