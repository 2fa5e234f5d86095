// Tries what a session will need of the kernel, and leaves the thread in the target's namespaces: for a process that ends right after.
import type * as t from 'io-ts'
import type { probeLine } from '../../protocol/agent/invocation.ts'
import { Failure } from '../../protocol/errors.ts'
import { enterHostname } from './hostname.ts'
import { enterNamespace } from './namespace.ts'
import { captureError } from './packet.ts'

export type Probe = t.TypeOf<typeof probeLine>

export function probe(pid: number): Probe {
  const hostname = enterHostname(pid)
  try {
    enterNamespace(pid, 'net')
  } catch (error) {
    if (!(error instanceof Failure) || error.kind === 'target-ended') throw error
    const errno = String(error.values.errno ?? error.data.detail ?? 'EIO')
    return { hostname, network: errno, packets: errno }
  }
  const packets = captureError()
  return packets === undefined ? { hostname } : { hostname, packets }
}
