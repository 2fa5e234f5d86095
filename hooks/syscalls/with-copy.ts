// Runs a decision on our copy of the socket that a trapped call names, and closes the copy whatever happens.
import { close, errnoName } from '../linux/libc.ts'
import { type Call, intArgument, threadOf } from '../linux/notification.ts'
import { leaveAlone, type Outcome, type World } from './world.ts'

const EPERM = 1

/** A decision that keeps the copy beyond the call says so with `keep`, and closes it itself later. */
export function withCopy(
  call: Call,
  world: World,
  decide: (copy: number, keep: () => void) => Outcome,
  without: (errno: number) => Outcome = errno => leaveAlone(`no copy of the descriptor: ${errnoName(errno)}`),
): Outcome {
  const copy = world.descriptors.copy(threadOf(call), intArgument(call, 0))
  if (copy === -EPERM) noticeUnreadable(call, world)
  if (copy < 0) return without(copy)
  let kept = false
  try {
    return decide(copy, () => {
      kept = true
    })
  } finally {
    if (!kept) close(copy)
  }
}

export function noticeUnreadable(call: Call, world: World): void {
  world.notice({
    level: 'warning',
    code: 'process-unreadable',
    text: `A process (thread ${threadOf(call)}) forbids to be read, as programs with secrets or extra rights do; it runs as if it were not in the session`,
  })
}
