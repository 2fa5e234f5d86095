// Process groups and the end by a signal (setpgid(2), signal(7)).
import { constants } from 'node:os'
import { declare, exitAtOnce, libc } from './libc.ts'
import { forbidCore } from './limits.ts'

const getpgid = declare<[number]>('int getpgid(int)')
const setpgid = declare<[number, number]>('int setpgid(int, int)')
const signalCall = libc.func('void* signal(int, size_t)')
const killCall = declare<[number, number]>('int kill(int, int)')

export const groupOf = (pid: number): number => getpgid(pid)
/** Leaves for a group of our own; a group's leader cannot, and stays. */
export const leaveGroup = (): boolean => setpgid(0, 0) === 0

/** kill(2); an unknown process is no error, because it may end at any moment. */
export const signalProcess = (pid: number, signal: number): number => killCall(pid, signal)

/** Ends this process as the command ended: by the same signal, or with the same code. */
export function endAs(end: { code?: number | undefined; signal?: string | undefined }): never {
  const number = end.signal === undefined ? undefined : constants.signals[end.signal as NodeJS.Signals]
  if (number !== undefined) {
    forbidCore()
    signalCall(number, 0)
    killCall(process.pid, number)
    return exitAtOnce(128 + number)
  }
  return exitAtOnce(end.code ?? 125)
}
