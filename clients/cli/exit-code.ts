// The exit code of exec: the command's own, as a shell would report it, or one of ours (DESIGN section 10).
import { constants } from 'node:os'

/** standin itself failed. */
export const failedCode = 125

/** What process/exit said. */
export type ProcessEnd = {
  code?: number | undefined
  signal?: string | undefined
  failure?: string | undefined
}

/** How the supervisor, our child, ended. */
export type SupervisorEnd = { code: number | null; signal: string | null }

/**
 * The code for a command's end. A command that could not be started is told by the supervisor's own 126 or 127; any other failure is ours.
 * Without a word from the server the supervisor's end is taken, which mimics the command's.
 */
export function exitCode(end: ProcessEnd | undefined, supervisor: SupervisorEnd | undefined): number {
  if (end?.failure !== undefined) {
    if (end.code !== undefined && end.code > 0) return end.code
    if (supervisor?.code === 126 || supervisor?.code === 127) return supervisor.code
    return end.signal === undefined ? failedCode : signalCode(end.signal)
  }
  if (end?.signal !== undefined) return signalCode(end.signal)
  if (end?.code !== undefined) return end.code
  if (supervisor?.signal) return signalCode(supervisor.signal)
  return supervisor?.code ?? failedCode
}

/** 128 + the signal's number, 128 for one without a name here (real-time signals come as "SIGRTMIN+n" or a number). */
export function signalCode(signal: string): number {
  const known = constants.signals[signal as NodeJS.Signals]
  if (known !== undefined) return 128 + known
  const realTime = /^SIGRTMIN(?:\+(\d+))?$/.exec(signal)
  if (realTime !== null) return 128 + 34 + Number(realTime[1] ?? 0)
  return 128 + (Number.parseInt(signal, 10) || 0)
}
