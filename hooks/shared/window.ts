// The numbers that UDP sockets of hooked processes have: the filter cannot see what a descriptor is, but it sees its number, so that calls whose
// addresses lie in memory are trapped for UDP alone.

/** Descriptor numbers, `to` not included. */
export type Range = { readonly from: number; readonly to: number }

/** select(2) takes no higher number. */
const selectLimit = 1024
const lowSize = 256
/** For programs that have so many connections that they reach the low numbers; the kernel's table of descriptors grows with the highest one. */
const highLimit = 65_536
const highSize = 1024

/** Rising; `softLimit` is the process's limit of open files, under which every number must be. */
export function windowUnder(softLimit: bigint | undefined): readonly Range[] {
  const limit = Number(softLimit ?? BigInt(selectLimit))
  const top = Math.min(limit, selectLimit)
  const low = { from: top - Math.min(lowSize, Math.floor(top / 4)), to: top }
  const highTop = Math.min(limit, highLimit)
  return highTop >= 4 * highSize ? [low, { from: highTop - highSize, to: highTop }] : [low]
}

/** Every number of the window, in the order in which they are given out. */
export function* numbersOf(window: readonly Range[], least = 0): Generator<number> {
  for (const { from, to } of window)
    for (let number = to - 1; number >= Math.max(from, least); number--) yield number
}
