// The supervisor's line to the guard: tells of this supervisor, and gives what is needed to answer in its place.
import { writeSync } from 'node:fs'
import { close } from '../linux/libc.ts'
import { connectAbstract, sendWithDescriptors } from '../linux/unix-sockets.ts'

export type GuardLine = {
  /** The server is gone: the guard says so for us, whose streams are the command's. */
  serverEnded(command: { pid: number; command: string }): void
  /** Another guard has taken over. */
  close(): void
}

/** What leaves from the pod, as in GuardRegistration. */
export type Leaving = { outgoing: boolean; datagrams: boolean; unix?: readonly string[] | undefined }

/** A negative errno when the guard could not be reached. The line stays open for good, because its end is what tells the guard of our death. */
export function registerWithGuard(
  options: Leaving & {
    guard: string
    token: string
    process: string
    notifications: number
    ledger: number
  },
): GuardLine | number {
  const socket = connectAbstract(options.guard)
  if (socket < 0) return socket
  const { guard, notifications, ledger, ...registration } = options
  const line = `${JSON.stringify({ ...registration, pid: process.pid })}\n`
  const sent = sendWithDescriptors(socket, Buffer.from(line), [notifications, ledger])
  if (sent < 0) {
    close(socket)
    return sent
  }
  return {
    serverEnded(command) {
      try {
        writeSync(socket, `${JSON.stringify(command)}\n`)
      } catch {
        // The guard is gone as well, and nobody is left to tell the user.
      }
    },
    close: () => void close(socket),
  }
}
