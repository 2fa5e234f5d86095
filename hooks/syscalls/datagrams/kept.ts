// Datagrams that were received for a call which a signal ended: they wait for the next receive of their socket.
import type { Received } from '../../linux/datagrams.ts'
import { BoundedMap } from '../../shared/bounded-map.ts'

const MSG_TRUNC = 0x20
const MSG_CTRUNC = 8
const socketLimit = 64
/** As much as the kernel keeps for a socket by default; more than one datagram is taken by recvmmsg alone. */
const keptBytes = 256 << 10

/** By the socket's cookie, oldest first. */
export type KeptDatagrams = Map<bigint, Received[]>

export const makeKeptDatagrams = (): KeptDatagrams => new BoundedMap(socketLimit)

/** Puts back what a call has taken, before what came later; what there is no room for is lost, as in a full socket. */
export function putBack(kept: KeptDatagrams, cookie: bigint, taken: readonly Received[]): void {
  if (taken.length === 0) return
  let bytes = 0
  const fits = ({ payload }: Received) => {
    bytes += payload.length
    return bytes <= keptBytes
  }
  kept.set(cookie, [...taken, ...(kept.get(cookie) ?? [])].filter(fits))
}

export function takeKept(
  kept: KeptDatagrams,
  cookie: bigint,
  { peeks }: { peeks: boolean },
): Received | undefined {
  const queue = kept.get(cookie)
  if (peeks) return queue?.[0]
  const first = queue?.shift()
  if (queue?.length === 0) kept.delete(cookie)
  return first
}

export type Cut = Received & { result: number }

/** The datagram as a call shows it that has so much room. */
export function cutTo(
  { payload, name, control, flags }: Received,
  options: { room: number; controlRoom: number; wantsLength: boolean },
): Cut {
  const isCut = payload.length > options.room
  return {
    result: options.wantsLength || !isCut ? payload.length : options.room,
    payload: payload.subarray(0, options.room),
    name,
    control: control.subarray(0, options.controlRoom),
    flags:
      (flags & ~MSG_TRUNC) |
      (isCut ? MSG_TRUNC : 0) |
      (control.length > options.controlRoom ? MSG_CTRUNC : 0),
  }
}
