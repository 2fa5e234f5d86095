// Memory that lists the calls a supervisor has taken and not answered, shared with the guard, which answers them if the supervisor dies.
import koffi from 'koffi'
import { close, declare, libc } from './libc.ts'
import { notificationBytes } from './notification.ts'

// One memfd, 76 KiB:
//     0  the notification that is being answered, written by the kernel itself (so no moment exists in which it is unknown)
//  4096  8,192 u64 ids of held calls, 0 for a free place
// 69632  8,192 bytes, one for each place: 1 for a call that must not be left to the kernel
const heldOffset = 4096
const heldLimit = 8192
const refusedOffset = heldOffset + 8 * heldLimit
export const ledgerBytes = refusedOffset + heldLimit
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
  /** Lists a held call; false when the ledger is full. A `refused` one is never left to the kernel, which would do for this machine what is the pod's. */
  add(id: bigint, options?: { refused: boolean }): boolean
  remove(id: bigint): void
  /** The first eight bytes (the id) of every call that is not answered, but for those to be refused. */
  ids(): Buffer[]
  refusedIds(): Buffer[]
}

/** Maps the ledger into this thread; the mapping lives as long as the process. */
export function openLedger(descriptor: number): Ledger {
  const bytes = Buffer.from(
    koffi.view(mapCall(null, ledgerBytes, PROT_READ_WRITE, MAP_SHARED, descriptor, 0), ledgerBytes),
  )
  const places = new Map<bigint, number>()
  const free: number[] = []
  let used = 0
  const held = (refused: number): Buffer[] =>
    Array.from({ length: heldLimit }, (_, place) => place)
      .filter(place => bytes[refusedOffset + place] === refused)
      .map(place => bytes.subarray(heldOffset + 8 * place, heldOffset + 8 * place + 8))
      .filter(id => id.readBigUInt64LE(0) !== 0n)
  return {
    current: bytes.subarray(0, notificationBytes),
    add(id, { refused } = { refused: false }) {
      const place = free.pop() ?? (used < heldLimit ? used++ : undefined)
      if (place === undefined) return false
      places.set(id, place)
      bytes[refusedOffset + place] = refused ? 1 : 0
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
    ids: () => [bytes.subarray(0, 8), ...held(0)],
    refusedIds: () => held(1),
  }
}

export const closeLedger = (descriptor: number): number => close(descriptor)
