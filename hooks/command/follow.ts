// Keeps the supervisor out of the command's way once it runs: streams, terminal group, signals, stops.
import { openSync } from 'node:fs'
import { constants } from 'node:os'
import { newStop, reapOrphans } from '../linux/children.ts'
import { groupOf, leaveGroup, signalProcess } from '../linux/group.ts'
import { close, setDescriptor } from '../linux/libc.ts'
import { hasTerminal, isStopped, takesItsOwnWay } from '../linux/processes.ts'
import { endEverything, signalCommand } from './signals.ts'

const terminalStops: readonly NodeJS.Signals[] = ['SIGTSTP', 'SIGTTIN', 'SIGTTOU']
const forwarded = ['SIGTERM', 'SIGHUP'] as const
const killAfterMs = 2000
const ofTerminal = ['SIGINT', 'SIGQUIT', ...terminalStops] as const
const ignore = () => undefined
const passBy = () => undefined

/** `hasEnded` tells whether the command itself is gone while others live on. */
export function followCommand(command: number, hasEnded: () => boolean): void {
  const group = groupOf(0)
  const isLeader = group === process.pid || !leaveGroup()
  releaseStreams()
  const forward = (name: NodeJS.Signals) => () =>
    hasEnded() ? endEverything(killAfterMs) : signalCommand(command, name)
  for (const name of forwarded) process.on(name, forward(name))
  // In the terminal's group the command has these already; outside of it they were meant for the command.
  for (const name of ['SIGINT', 'SIGQUIT'] as const)
    process.on(name, () => (isLeader && !hasEnded() ? ignore() : forward(name)()))
  if (isLeader) for (const name of terminalStops) process.on(name, ignore)
  const look = () => {
    const stop = hasEnded() ? undefined : newStop(command)
    if (stop !== undefined && isStopped(command)) stopWith({ group, isLeader, signal: stop })
    reapOrphans(hasEnded() ? 0 : command)
  }
  process.on('SIGCHLD', look)
  // The command may have stopped, and orphans may have come and gone, before the handler was there.
  look()
}

/**
 * Keeps signals that are meant for the command until it is there; the result lets go of them. Those of the terminal reach the command by
 * themselves, as long as both are in its group. Without handlers all of them would end or stop us alone.
 */
export function holdSignals(): () => NodeJS.Signals[] {
  const held: NodeJS.Signals[] = []
  const hold = (name: NodeJS.Signals) => held.push(name)
  for (const name of forwarded) process.on(name, hold)
  for (const name of ofTerminal) process.on(name, passBy)
  return () => {
    for (const name of forwarded) process.off(name, hold)
    for (const name of ofTerminal) process.off(name, passBy)
    return held
  }
}

/** Pipes must end when the command's own ends of them do. */
function releaseStreams(): void {
  const nowhere = openSync('/dev/null', 'r+')
  for (const stream of [0, 1, 2]) setDescriptor(nowhere, stream)
  if (nowhere > 2) close(nowhere)
}

/**
 * The shell sees a job stop when its leader does: that is us, or the client that started us in the same group. Without a terminal nobody would
 * wake us again; nor after a SIGSTOP, whose sender continues the command alone, and a supervisor that sleeps would leave it unanswered.
 */
function stopWith(options: { group: number; isLeader: boolean; signal: number }): void {
  const { group, isLeader, signal } = options
  if (!hasTerminal()) return
  // A client that the terminal stopped already is left alone: a second stop could come after the shell's SIGCONT. One that keeps the
  // terminal's stop from itself, in order to stop with the command, gets the one that nobody can keep away.
  if (!isLeader && groupOf(process.ppid) === group && !isStopped(process.ppid))
    signalProcess(process.ppid, takesItsOwnWay(process.ppid, signal) ? constants.signals.SIGSTOP : signal)
  const name = terminalStops.find(name => constants.signals[name] === signal)
  if (isLeader && name !== undefined) stopLikeCommand(name)
}

/** By the same signal, because a shell shows its number as the status of the job. */
function stopLikeCommand(name: NodeJS.Signals): void {
  process.off(name, ignore)
  signalProcess(process.pid, constants.signals[name])
  process.on(name, ignore)
}
