// Asks the kernel whether this thread may capture packets where it is (packet(7)).
import { closeSync } from 'node:fs'
import { lastError, socket } from './libc.ts'

const AF_PACKET = 17
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000

/** The error of opening a packet socket, or undefined when it may. Protocol 0, so that not one packet is copied. */
export function packetSocketError(): string | undefined {
  const fd = socket(AF_PACKET, SOCK_DGRAM_CLOEXEC, 0)
  if (fd < 0) return lastError()
  closeSync(fd)
  return undefined
}
