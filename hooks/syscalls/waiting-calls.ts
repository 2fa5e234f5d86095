// Blocking accepts with nothing pending: held without holding up others, first come, first served, until a connection, an error, a signal or the end.
import { close } from '../linux/libc.ts'
import { type Call, idOf, isAlive, notificationBytes, sendResult, threadOf } from '../linux/notification.ts'
import { POLLIN, type Watched } from '../linux/sockets.ts'
import type { Ledger } from '../shared/ledger.ts'
import type { Listener, World } from './world.ts'

type Waiting = { call: Call; deadlineMs: number; pidfd: number }
type Group = { copy: number; listener: Listener; calls: Waiting[] }

/** Dead calls are looked for at least this often: a signal's end of a call cannot be polled for. */
const sweepMs = 1000

export type WaitingCalls = {
  readonly size: number
  /** Holds the call and takes over the copy; false (and nothing taken) when there is no room. */
  add(call: Call, copy: number, listener: Listener, timeoutMs: number): boolean
  /** What to poll besides the notification descriptor, and for how long. */
  watched(nowMs: number): { list: Watched[]; timeoutMs: number }
  /** Serves what the poll found; `attempt` answers a call with a connection, or says that none is pending. */
  serve(events: readonly number[], nowMs: number, attempt: Attempt, end: End): void
  /** Lets go of every call that a signal or the process's death has ended. */
  sweep(): void
}
type Attempt = (call: Call, copy: number, listener: Listener) => boolean
type End = (events: number, late: boolean) => number | undefined

export function makeWaitingCalls(world: World, ledger: Ledger): WaitingCalls {
  const groups = new Map<bigint, Group>()
  let size = 0

  function drop(group: Group, dead: Waiting): void {
    ledger.remove(idOf(dead.call))
    if (dead.pidfd >= 0) close(dead.pidfd)
    group.calls = group.calls.filter(one => one !== dead)
    size--
    if (group.calls.length > 0) return
    close(group.copy)
    groups.delete(group.listener.cookie)
  }

  const all = () => [...groups.values()].flatMap(group => group.calls.map(waiting => ({ group, waiting })))

  /** A thread is in one call at a time: what it waited in before has been ended by a signal. */
  function forgetThread(thread: number): void {
    for (const { group, waiting } of all()) if (threadOf(waiting.call) === thread) drop(group, waiting)
  }

  function serveGroup(group: Group, events: number, nowMs: number, attempt: Attempt, end: End): void {
    for (const waiting of group.calls) {
      const result = end(events, waiting.deadlineMs <= nowMs)
      if ((events & POLLIN) !== 0) {
        if (isAlive(world.listener, waiting.call) && !attempt(waiting.call, group.copy, group.listener)) {
          if (result === undefined) return
          sendResult(world.listener, waiting.call, result)
        }
      } else if (result !== undefined) sendResult(world.listener, waiting.call, result)
      else continue
      drop(group, waiting)
    }
  }

  return {
    get size() {
      return size
    },
    add(call, copy, listener, timeoutMs) {
      forgetThread(threadOf(call))
      if (!ledger.add(idOf(call))) return false
      const group = groups.get(listener.cookie) ?? { copy, listener, calls: [] }
      if (group.copy !== copy) close(copy)
      groups.set(listener.cookie, group)
      group.calls.push({
        call: Buffer.from(call.subarray(0, notificationBytes)),
        deadlineMs: timeoutMs > 0 ? performance.now() + timeoutMs : Number.POSITIVE_INFINITY,
        pidfd: world.descriptors.watch(threadOf(call)),
      })
      size++
      return true
    },
    watched(nowMs) {
      const held = all()
      const deadline = Math.min(...held.map(({ waiting }) => waiting.deadlineMs))
      const list = [
        ...[...groups.values()].map(({ copy }) => ({ descriptor: copy, events: POLLIN })),
        ...held.map(({ waiting }) => ({ descriptor: waiting.pidfd, events: POLLIN })),
      ]
      return { list, timeoutMs: Math.max(0, Math.min(sweepMs, Math.ceil(deadline - nowMs))) }
    },
    serve(events, nowMs, attempt, end) {
      const present = [...groups.values()]
      if (events.slice(present.length).some(one => one !== 0)) this.sweep()
      for (const [index, group] of present.entries())
        if (groups.has(group.listener.cookie)) serveGroup(group, events[index] ?? 0, nowMs, attempt, end)
    },
    sweep() {
      for (const { group, waiting } of all()) if (!isAlive(world.listener, waiting.call)) drop(group, waiting)
    },
  }
}
