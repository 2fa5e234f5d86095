// Finds the process behind a target's name, and whether we may look into it.
import { readFileSync } from 'node:fs'
import { Failure } from '../../protocol/errors.ts'
import type { Target } from '../../protocol/rpc/targets.ts'
import { isRefused, ownerOf, readProc, readStat } from '../linux/proc.ts'
import { readRights } from '../linux/rights.ts'
import { Snapshot } from '../linux/snapshot.ts'
import { parseCommand } from './command.ts'
import { findContainer } from './containers.ts'
import { portsOf } from './listeners.ts'
import { parseTargetName, type TargetName } from './name.ts'
import { readOwnListeners } from './own-listeners.ts'
import { decideEnter, decideObstacle, type Rights } from './rights.ts'
import type { Scope } from './scope.ts'
import { hasEnded, type ProcessStat } from './stat.ts'

export type Resolved = { target: Target; scope: Scope; startTime: string; enter: string[]; rights: Rights }

/** Throws `target-invalid`, `-not-found`, `-ambiguous`, `-ended`, `-unreadable` or `runtime-failed`. */
export async function resolveTarget(text: string): Promise<Resolved> {
  const name = parseTargetName(text)
  const found: { pid: number; name?: string; runtime?: string | undefined } =
    name.kind === 'process' ? { pid: name.pid } : await findContainer(name.name)
  const stat = readStat(found.pid)
  if (stat === undefined && name.kind === 'process')
    throw new Failure('target-not-found', { target: text, reason: `no process has pid ${found.pid}` })
  if (stat === undefined || hasEnded(stat)) throw new Failure('target-ended', { target: text })
  const { rights, command } = await lookInto(text, stat)
  const scope = name.kind === 'process' ? { pid: stat.pid } : { pid: stat.pid, id: name.name }
  const target = describeFound(name, found, stat, command, rights, scope)
  return { target, scope, startTime: stat.startTime, enter: decideEnter(rights, stat.pid), rights }
}

/** What startSession is told of a process or container; `scope` says whose listeners are its own. */
function describeFound(
  name: TargetName,
  found: { name?: string; runtime?: string | undefined },
  stat: ProcessStat,
  command: { name: string; command: string },
  rights: Rights,
  scope: Scope,
): Target {
  const obstacle = decideObstacle(rights)
  return {
    target: name.text,
    kind: name.kind,
    name: found.name ?? command.name,
    ready: obstacle === undefined,
    ports: portsOf(readOwnListeners(scope, new Snapshot())),
    pid: stat.pid,
    command: command.command,
    ...(obstacle === undefined ? {} : { reason: obstacle }),
    ...(found.runtime === undefined ? {} : { runtime: found.runtime }),
  }
}

/** Its environment is read, and forgotten, because that needs the right that everything else under /proc/PID needs too. */
async function lookInto(target: string, { pid, name }: ProcessStat) {
  try {
    readProc(pid, 'environ')
    const rights = await readRights(pid)
    return { rights, command: parseCommand(readProc(pid, 'cmdline') ?? Buffer.alloc(0), name) }
  } catch (error) {
    if (!isRefused(error)) throw error
    throw new Failure('target-unreadable', { target, pid, owner: userName(ownerOf(pid)) }, { cause: error })
  }
}

/** The name in /etc/passwd, else the number. */
function userName(uid: number | undefined): string {
  if (uid === undefined) return 'unknown'
  try {
    const rows = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .map(row => row.split(':'))
    return rows.find(row => row[2] === String(uid))?.[0] ?? String(uid)
  } catch {
    return String(uid)
  }
}
