// Signals that the supervisor sends: to the command, and to everything that is hooked when it has to end.
import { constants } from 'node:os'
import { signalProcess } from '../linux/group.ts'
import { exitAtOnce } from '../linux/libc.ts'
import { listProcesses } from '../linux/processes.ts'

const { SIGTERM, SIGCONT, SIGKILL } = constants.signals
/** SIGKILL is repeated, because a process may fork while the list is read; after the last round the guard has the rest. */
const killEveryMs = 100
const killRounds = 50

export function signalCommand(command: number | undefined, name: string): void {
  const number = constants.signals[name as NodeJS.Signals]
  if (command !== undefined && number !== undefined) signalProcess(command, number)
}

/** SIGTERM (and SIGCONT, so that stopped ones see it) to all, and SIGKILL to those that are left after the time. */
export function endEverything(killAfterMs: number): void {
  signalAll(SIGTERM)
  signalAll(SIGCONT)
  setTimeout(() => killAll(killRounds), killAfterMs)
}

function killAll(rounds: number): void {
  if (rounds === 0) exitAtOnce(125)
  signalAll(SIGKILL)
  setTimeout(() => killAll(rounds - 1), killEveryMs)
}

function signalAll(signal: number): void {
  for (const pid of listProcesses().descendants(process.pid)) signalProcess(pid, signal)
}
