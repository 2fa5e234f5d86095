// Asks the kernel whether this thread may capture packets where it is, and whether it can (packet(7)).
import { Failure } from '../../protocol/errors.ts'
import { chooseRing } from './capture-ring.ts'
import { closeSocket, openPacketSocket } from './packet-socket.ts'

/** Throws what a capture would fail with. The socket is never bound, so that not one packet is copied. */
export function requireCapture(): void {
  const fd = openPacketSocket()
  try {
    chooseRing(fd)
  } finally {
    closeSocket(fd)
  }
}

/** The name of the error that a capture would fail with, or undefined when it would not. */
export function captureError(): string | undefined {
  try {
    requireCapture()
    return undefined
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown
    return String(thrown.values.errno)
  }
}
