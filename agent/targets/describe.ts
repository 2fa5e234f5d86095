// Describes one target: what it is, where it listens, and what a session there would need.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type * as t from 'io-ts'
import { probeLine } from '../../protocol/agent/invocation.ts'
import { decode } from '../../protocol/codec.ts'
import { Failure } from '../../protocol/errors.ts'
import { programPath } from '../../protocol/programs.ts'
import type { describeTarget } from '../../protocol/rpc/targets.ts'
import { type Probe, probe } from '../linux/probe.ts'
import { decideNeeds } from './needs.ts'
import { readAddresses, readSidecar } from './network.ts'
import { readOwnListeners } from './own-listeners.ts'
import { type Resolved, resolveTarget } from './resolve.ts'

type Description = t.TypeOf<typeof describeTarget.result>

const probeTimeoutMs = 5_000

/** The calling process may be in the target's namespaces afterwards. */
export async function describeNamed(text: string): Promise<Description> {
  const resolved = await resolveTarget(text)
  const { target, scope, rights } = resolved
  const { pid } = scope
  const addresses = readAddresses(pid)
  const listeners = readOwnListeners(scope).map(({ address, port }) => ({ address, port }))
  const sidecar = readSidecar(pid)
  // Last, for it moves this thread away.
  const found = await tryThere(resolved)
  return {
    target,
    hostname: found.hostname,
    addresses,
    listeners,
    ownNetwork: !rights.sameNetwork,
    needs: decideNeeds(pid, found),
    ...(sidecar === undefined ? {} : { sidecar }),
  }
}

/** In a child when the agent of a session would be one in another user namespace, for that is where the rights are. */
async function tryThere({ enter, scope: { pid } }: Resolved): Promise<Probe> {
  const [program, ...args] = enter
  if (program === undefined) return probe(pid)
  const command = [...args, process.execPath, programPath('agent'), 'probe', String(pid)]
  try {
    const { stdout } = await promisify(execFile)(program, command, {
      timeout: probeTimeoutMs,
      killSignal: 'SIGKILL',
    })
    const checked = decode(probeLine, JSON.parse(stdout))
    if (checked.ok) return checked.value
    throw new Error(checked.faults.join('; '))
  } catch (cause) {
    throw new Failure('agent-failed', { reason: `it could not try what pid ${pid} allows` }, { cause })
  }
}
