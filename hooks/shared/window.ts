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

/** The limits of open files that a process begins with; it may raise the soft one up to the hard one, as Node, Go and Java do. */
export type Limits = { readonly soft: bigint | undefined; readonly hard: bigint | undefined }

/** Rising; every number must be under the soft limit that the process has when it is given out. */
export function windowUnder({ soft, hard }: Limits): readonly Range[] {
  const limit = Number(soft ?? BigInt(selectLimit))
  const top = Math.min(limit, selectLimit)
  const low = { from: top - Math.min(lowSize, Math.floor(top / 4)), to: top }
  const high = highUnder(limit)
  const highest = highUnder(Math.max(limit, Number(hard ?? 0n)))
  const all = [low, ...high]
  return [...all, ...highest.filter(({ from }) => from >= all.at(-1)!.to)]
}

function highUnder(limit: number): Range[] {
  const top = Math.min(limit, highLimit)
  return top >= 4 * highSize ? [{ from: top - highSize, to: top }] : []
}

/** Every number of the ranges, in the order in which they are given out. */
export function* numbersOf(window: readonly Range[], least = 0): Generator<number> {
  for (const { from, to } of window)
    for (let number = to - 1; number >= Math.max(from, least); number--) yield number
}

/** How many files a process opens at most while one of its calls is answered. */
const clearance = 64

/**
 * The window with those numbers last that another thread may be given meanwhile, whose descriptor ours would take the place of: the kernel gives the
 * lowest that is free, which is none of the low part while one before it is. A process that can have no others goes on with them.
 */
export function clearOf(window: readonly Range[], isTaken: (number: number) => boolean): readonly Range[] {
  const [low, ...high] = window
  return low !== undefined && high.length > 0 && isTaken(low.from - clearance) ? [...high, low] : window
}
