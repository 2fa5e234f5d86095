// Memory that lists the calls a supervisor has taken and not answered, shared with the guard, which answers them if the supervisor dies.
import koffi from 'koffi'
import { close, declare, libc } from './libc.ts'
import { notificationBytes } from './notification.ts'

// One memfd, 68 KiB:
//     0  the notification that is being answered, written by the kernel itself (so no moment exists in which it is unknown)
//  4096  8,192 u64 ids of held calls, 0 for a free place
const heldOffset = 4096
const heldLimit = 8192
export const ledgerBytes = heldOffset + 8 * heldLimit
const PROT_READ_WRITE = 3
const MAP_SHARED = 1
const MFD_CLOEXEC = 1

const createCall = declare<[string, number]>('int memfd_create(const char*, uint)')
const truncate = declare<[number, number]>('int ftruncate(int, long)')
const mapCall = libc.func('void* mmap(void*, size_t, int, int, int, long)')

/** A new ledger's descriptor, owned by the caller. */
export function createLedger(): number {
  const descriptor = createCall('standin-ledger', MFD_CLOEXEC)
  if (descriptor < 0) throw new Error(`Cannot create ledger: errno ${-descriptor}`)
  truncate(descriptor, ledgerBytes)
  return descriptor
}

export type Ledger = {
  /** Where the kernel writes each trapped call. */
  readonly current: Buffer
  /** Lists a held call; false when the ledger is full. */
  add(id: bigint): boolean
  remove(id: bigint): void
  /** The first eight bytes (the id) of every call that is not answered. */
  ids(): Buffer[]
}

/** Maps the ledger into this thread; the mapping lives as long as the process. */
export function openLedger(descriptor: number): Ledger {
  const bytes = Buffer.from(
    koffi.view(mapCall(null, ledgerBytes, PROT_READ_WRITE, MAP_SHARED, descriptor, 0), ledgerBytes),
  )
  const places = new Map<bigint, number>()
  const free: number[] = []
  let used = 0
  return {
    current: bytes.subarray(0, notificationBytes),
    add(id) {
      const place = free.pop() ?? (used < heldLimit ? used++ : undefined)
      if (place === undefined) return false
      places.set(id, place)
      bytes.writeBigUInt64LE(id, heldOffset + 8 * place)
      return true
    },
    remove(id) {
      const place = places.get(id)
      if (place === undefined) return
      places.delete(id)
      free.push(place)
      bytes.writeBigUInt64LE(0n, heldOffset + 8 * place)
    },
    ids() {
      const held = Array.from({ length: heldLimit }, (_, place) =>
        bytes.subarray(heldOffset + 8 * place, heldOffset + 8 * place + 8),
      ).filter(id => id.readBigUInt64LE(0) !== 0n)
      return [bytes.subarray(0, 8), ...held]
    },
  }
}

export const closeLedger = (descriptor: number): number => close(descriptor)
