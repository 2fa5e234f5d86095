// Tells when the last hooked process is gone: the notification descriptor then polls POLLHUP (seccomp_unotify(2), poll(2)).
import { libc } from './libc.ts'

const POLLHUP = 0x10
const pollCall = libc.func('int poll(void*, ulong, int)')

/** Waits on a thread of the pool, which asks for no event, so that ordinary notifications do not wake it. */
export function whenHungUp(descriptor: number, then: () => void): void {
  const list = Buffer.alloc(8)
  list.writeInt32LE(descriptor, 0)
  pollCall.async(list, 1, -1, () => {
    if ((list.readInt16LE(6) & POLLHUP) !== 0) then()
    else whenHungUp(descriptor, then)
  })
}
