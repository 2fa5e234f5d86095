// Waits in one thread for a descriptor or for a wake-up from another thread, see poll(2) and eventfd(2).
import koffi from 'koffi'
import { captureFailure } from './packet-socket.ts'

const EFD_CLOEXEC = 0o2000000
const EFD_NONBLOCK = 0o4000
const POLLIN = 1

const libc = koffi.load(null)
const eventfd = libc.func('int eventfd(unsigned int, int)')
const poll = libc.func('int poll(void *, unsigned long, int)')
const read = libc.func('long read(int, void *, size_t)')
const write = libc.func('long write(int, void *, size_t)')

export function openWaker(): number {
  const fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)
  if (fd < 0) throw captureFailure('eventfd')
  return fd
}

export function wake(waker: number): void {
  write(waker, Buffer.from(BigUint64Array.of(1n).buffer), 8)
}

/**
 * Blocks the calling thread until `fd` is readable, the waker was called, or the time is over. True if the waker was called.
 *
 * struct pollfd: fd(4) events(2) revents(2)
 */
export function waitFor(fd: number, waker: number, timeoutMs: number): boolean {
  const set = Buffer.alloc(16)
  set.writeInt32LE(fd, 0)
  set.writeInt16LE(POLLIN, 4)
  set.writeInt32LE(waker, 8)
  set.writeInt16LE(POLLIN, 12)
  if (poll(set, 2, timeoutMs) <= 0 || (set.readInt16LE(14) & POLLIN) === 0) return false
  read(waker, Buffer.alloc(8), 8)
  return true
}
