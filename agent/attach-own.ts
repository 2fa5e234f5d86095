// Serves the link of a session without a target, in the agent's own container: connections leave from its pod. No right and no native code.
import { readFileSync } from 'node:fs'
import type { Server } from 'node:net'
import { hostname } from 'node:os'
import type { AgentEvent, TargetFacts } from '../protocol/agent/control.ts'
import { Failure } from '../protocol/errors.ts'
import { createAnswerer } from './answer.ts'
import type { AttachOwnInvocation } from './arguments.ts'
import { endWhenAsked } from './end-when-asked.ts'
import { adoptListener } from './link/listen.ts'
import { sendEvent } from './link/send-event.ts'
import { reachableAddresses } from './linux/local-addresses.ts'
import { log } from './log.ts'
import { createDialler } from './outgoing/dial.ts'
import type { PodFiles } from './outgoing/pod-files.ts'
import { boundEnvironment, droppedText } from './targets/environment.ts'
import { nameFilesBy } from './targets/name-files.ts'
import { serviceVariables } from './targets/service-variables.ts'

const maxNameFileBytes = 1 << 20
const nothing = { packets: 0, bytes: 0, ringDrops: 0, connections: 0, gaps: 0, slow: 0, unopened: 0 }

/** Serves when it returns. What imports koffi must not be imported here: the container has no folder that it could lie in. */
export function attachOwn({ session, key, graceMs }: AttachOwnInvocation, server: Server): void {
  endWhenAsked(end)
  const { kept, dropped } = boundEnvironment(serviceVariables(process.env))
  const tell = (event: AgentEvent) => sendEvent(listener, event)
  const answer = createAnswerer({
    facts: () => ownFacts(kept),
    mirror: refuseCapture,
    counters: async () => nothing,
    reply: value => listener.endpoint.control(value),
    end: () => end(0, 'the server asked for the end'),
    explain: thrown => thrown,
    log,
  })
  const listener = adoptListener(
    {
      ...{ session, publicKey: key, graceMs },
      onControl: answer,
      onOpen: createDialler(tell, ownFiles),
      onAttached: () => undefined,
      onGone: reason => end(0, reason),
    },
    server,
  )
  if (dropped.length > 0) tell({ event: 'notice', level: 'warning', text: droppedText(dropped) })
  log(`serves the network of ${hostname()}`)
}

/** Nothing listens in this pod but we. */
function ownFacts(environment: Record<string, string>): TargetFacts {
  const name = hostname()
  return {
    target: { target: 'targetless', kind: 'targetless', name, ready: true, ports: [] },
    ...{ hostname: name, addresses: reachableAddresses(), ports: [], environment, ownNetwork: true },
    nameFiles: nameFilesBy(readOwn),
  }
}

/** What a forward needs; there are no programs here whose Unix sockets could be meant. */
const ownFiles: PodFiles = {
  nameFile: path => readOwn(path, maxNameFileBytes) ?? '',
  connectUnix: () => {
    throw Object.assign(new Error('Cannot connect to a Unix socket without a target'), { code: 'EOPNOTSUPP' })
  },
}

/** The kubelet gives our container the files that it gives every container of the namespace. */
function readOwn(path: string, maxBytes: number): string | undefined {
  try {
    return readFileSync(path).subarray(0, maxBytes).toString('utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function refuseCapture(): never {
  throw new Failure('frame-invalid', { reason: 'an agent without a target captures nothing' })
}

/** No thread of ours waits in the kernel, which would hold this up. */
function end(code: number, reason: string): never {
  log(reason)
  return process.exit(code)
}
