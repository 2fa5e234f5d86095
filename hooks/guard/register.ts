// Tells the guard of this supervisor, and gives it what it needs to answer in its place.

import { close } from '../linux/libc.ts'
import { connectAbstract, sendWithDescriptors } from '../linux/unix-sockets.ts'

/** 0 when the guard holds the descriptors; the socket stays open for good, because its end is what tells the guard of our death. */
export function registerWithGuard(options: {
  guard: string
  token: string
  process: string
  notifications: number
  ledger: number
}): number {
  const socket = connectAbstract(options.guard)
  if (socket < 0) return socket
  const { token, process: processId } = options
  const line = `${JSON.stringify({ token, process: processId, pid: process.pid })}\n`
  const sent = sendWithDescriptors(socket, Buffer.from(line), [options.notifications, options.ledger])
  if (sent < 0) close(socket)
  return sent
}
