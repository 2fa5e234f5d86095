// The one target of an attached agent: held by a pidfd, entered, and read by path under /proc/PID while it lives.
import type { TargetFacts } from '../protocol/agent/control.ts'
import { Failure } from '../protocol/errors.ts'
import type { TargetKind } from '../protocol/rpc/targets.ts'
import { enterHostname } from './linux/hostname.ts'
import { enterNamespace } from './linux/namespace.ts'
import { type HeldProcess, holdProcess } from './linux/pidfd.ts'
import { isRefused, namespaceOf, readEnvironment, readProc, readStat } from './linux/proc.ts'
import { bundleEnvironment } from './targets/bundle.ts'
import { parseCommand } from './targets/command.ts'
import { boundEnvironment, droppedText, isOverwritten, parseEnvironment } from './targets/environment.ts'
import { readAddresses, readSidecar } from './targets/network.ts'
import { readNameFiles } from './targets/read-name-files.ts'
import type { Scope } from './targets/scope.ts'
import { hasEnded } from './targets/stat.ts'

export type NamedProcess = {
  target: string
  kind: TargetKind
  /** What the target is called; a process by its command. */
  name?: string
  /** The container's id or name, whose processes are the target's own; without one they are the process and its descendants. */
  container?: string
  pid: number
  startTime: string
  /** We are in its pod, so that its network is ours from the start. */
  inPod?: boolean
}

/** What does not change while the target lives. */
export type FixedFacts = Omit<TargetFacts, 'ports' | 'target' | 'nameFiles'> & {
  name: string
  command: string
  /** What a user should know of them. */
  notices: string[]
  /** Its network namespace is the machine's or may be, which passes on what is for others, such as the pods of a node. */
  passesOn: boolean
}

/** Holds the process, then checks that it is the one that was meant: from then on its pid can't be another's. Throws `target-ended`. */
export function holdTarget({ target, pid, startTime }: NamedProcess): HeldProcess {
  const held = holdProcess(pid)
  const stat = readStat(pid)
  if (stat !== undefined && !hasEnded(stat) && stat.startTime === startTime) return held
  held.close()
  throw new Failure('target-ended', { target })
}

/** Whose listeners are the target's own. */
export function scopeOf({ container, pid }: NamedProcess): Scope {
  return container === undefined ? { pid } : { pid, id: container }
}

/**
 * Puts the calling thread into the target's network and UTS namespaces, for good. Throws `right-missing`, `kernel-feature-missing` or
 * `target-ended`.
 */
export function enterTarget(named: NamedProcess): FixedFacts {
  const { pid, inPod } = named
  const passesOn = inPod === true || isMachinesNetwork(pid)
  const ownNetwork = inPod || namespaceOf(pid, 'net') !== namespaceOf('self', 'net')
  enterNamespace(pid, 'net')
  const hostname = enterHostname(pid)
  const addresses = readAddresses(pid)
  const sidecar = readSidecar(pid)
  const { environment, notices } = environmentOf(named)
  const { name, command } = parseCommand(
    readProc(pid, 'cmdline') ?? Buffer.alloc(0),
    readStat(pid)?.name ?? '',
  )
  return {
    hostname,
    addresses,
    ownNetwork,
    environment,
    notices,
    passesOn,
    name,
    command,
    ...(sidecar === undefined ? {} : { sidecar }),
  }
}

function environmentOf({ pid, container }: NamedProcess): Pick<FixedFacts, 'environment' | 'notices'> {
  const bytes = readEnvironment(pid) ?? Buffer.alloc(0)
  const notices: string[] = []
  let all = parseEnvironment(bytes)
  if (isOverwritten(bytes)) {
    const made = bundleEnvironment(pid, container)
    const known = made === undefined ? lostVariables : 'those that the container was made with are given'
    notices.push(`the process has written its title over its variables; ${known}`)
    all = made ?? all
  }
  const { kept, dropped } = boundEnvironment(all)
  if (dropped.length > 0) notices.push(droppedText(dropped))
  return { environment: kept, notices }
}

const lostVariables = 'set what you need of them with feature.env.override'

/** That of pid 1, where it may be seen; without that right nobody captures in the machine's network either. */
function isMachinesNetwork(pid: number): boolean {
  try {
    return namespaceOf(pid, 'net') === namespaceOf(1, 'net')
  } catch (error) {
    if (isRefused(error)) return false
    throw error
  }
}

/** The answer to "describe". */
export function factsOf(named: NamedProcess, fixed: FixedFacts, ports: number[]): TargetFacts {
  const { name, command, notices: _, passesOn: __, ...facts } = fixed
  const { kind, pid } = named
  const target = { target: named.target, kind, name: named.name ?? name, ready: true, ports, pid, command }
  const nameFiles = readNameFiles(pid, { inPod: named.inPod === true })
  return { ...facts, target, ports, nameFiles }
}
