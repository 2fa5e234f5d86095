// Blocking accepts and receives with nothing pending: held without holding up others, first come, first served, until there is something, an error, a signal or the end.

import type { Ledger } from '../linux/ledger.ts'
import { close } from '../linux/libc.ts'
import {
  type Call,
  idOf,
  isAlive,
  mustAnswer,
  notificationBytes,
  sendContinue,
  sendResult,
  threadOf,
} from '../linux/notification.ts'
import { POLLIN, poll, type Watched } from '../linux/sockets.ts'
import type { World } from './world.ts'

/** The socket that calls wait for, known by its cookie. */
type Keyed = { readonly cookie: bigint }
type Group<L> = { copy: number; listener: L; calls: Waiting<L>[]; quietUntilMs: number }
type Waiting<L> = { call: Call; group: Group<L>; deadlineMs: number; pidfd: number }

/** Dead calls are looked for at least this often: a signal's end of a call cannot be polled for. */
const sweepMs = 1000
/** A socket that is ready for nothing that its calls want, as an error queue makes it, is looked at again after this time. */
const quietMs = 100
/** poll(2) passes over it. */
const unwatched = -1

export type WaitingCalls<L extends Keyed> = {
  readonly size: number
  /** Holds the call and takes over the copy; false (and nothing taken) when there is no room. */
  add(call: Call, copy: number, listener: L, timeoutMs: number): boolean
  /** What to poll besides the notification descriptor, and for how long. */
  watched(nowMs: number): { list: Watched[]; timeoutMs: number }
  /** Serves what the poll found; `attempt` answers a call with a connection, or says that none is pending. */
  serve(events: readonly number[], nowMs: number, attempt: Attempt<L>, end: End): void
  /** Lets go of every call that a signal or the process's death has ended. */
  sweep(): void
  /** Leaves every held call to the kernel. */
  release(): void
}
type Attempt<L> = (call: Call, copy: number, listener: L) => boolean
type End = (events: number, late: boolean) => number | undefined

/** `wakes` are the events upon which a call is attempted; the others are for `end` alone. */
export function makeWaitingCalls<L extends Keyed>(
  world: World,
  ledger: Ledger,
  wakes: number = POLLIN,
): WaitingCalls<L> {
  const groups = new Map<bigint, Group<L>>()
  /** By thread: it is in one call at a time. */
  const held = new Map<number, Waiting<L>>()
  let list: Watched[] | undefined

  function drop(dead: Waiting<L>): void {
    const { call, group, pidfd } = dead
    list = undefined
    ledger.remove(idOf(call))
    if (pidfd >= 0) close(pidfd)
    held.delete(threadOf(call))
    group.calls = group.calls.filter(one => one !== dead)
    if (group.calls.length > 0) return
    close(group.copy)
    groups.delete(group.listener.cookie)
  }

  function serveGroup(group: Group<L>, events: number, nowMs: number, attempt: Attempt<L>, end: End): void {
    for (const waiting of group.calls) {
      const result = end(events, waiting.deadlineMs <= nowMs)
      if ((events & wakes) !== 0) {
        if (isAlive(world.listener, waiting.call) && !attempt(waiting.call, group.copy, group.listener)) {
          if (result === undefined) {
            quieten(group, nowMs)
            return
          }
          sendResult(world.listener, waiting.call, result)
        }
      } else if (result !== undefined) sendResult(world.listener, waiting.call, result)
      else continue
      drop(waiting)
    }
  }

  /** What is still said after a call has found nothing would be said at once again. */
  function quieten(group: Group<L>, nowMs: number): void {
    const [events = 0] = poll([{ descriptor: group.copy, events: POLLIN }], 0)
    if (events === 0 || (events & POLLIN) !== 0) return
    group.quietUntilMs = nowMs + quietMs
    list = undefined
  }

  return {
    get size() {
      return held.size
    },
    add(call, copy, listener, timeoutMs) {
      // What the thread waited in before was ended by a signal.
      const before = held.get(threadOf(call))
      if (before !== undefined) drop(before)
      if (!ledger.add(idOf(call))) return false
      list = undefined
      const group = groups.get(listener.cookie) ?? { copy, listener, calls: [], quietUntilMs: 0 }
      if (group.copy !== copy) close(copy)
      groups.set(listener.cookie, group)
      const waiting = {
        call: Buffer.from(call.subarray(0, notificationBytes)),
        group,
        deadlineMs: timeoutMs > 0 ? performance.now() + timeoutMs : Number.POSITIVE_INFINITY,
        pidfd: world.descriptors.watch(threadOf(call)),
      }
      group.calls.push(waiting)
      held.set(threadOf(call), waiting)
      // Asked after the watch began: a call that died before would be found by the sweep alone, too late for whoever wants the port.
      if (!isAlive(world.listener, waiting.call)) drop(waiting)
      return true
    },
    watched(nowMs) {
      let deadlineMs = nowMs + sweepMs
      for (const waiting of held.values()) deadlineMs = Math.min(deadlineMs, waiting.deadlineMs)
      for (const group of groups.values()) {
        if (group.quietUntilMs === 0) continue
        if (group.quietUntilMs > nowMs) {
          deadlineMs = Math.min(deadlineMs, group.quietUntilMs)
          continue
        }
        group.quietUntilMs = 0
        list = undefined
      }
      list ??= [
        ...[...groups.values()].map(({ copy, quietUntilMs }) => ({
          descriptor: quietUntilMs === 0 ? copy : unwatched,
          events: POLLIN,
        })),
        // One without a descriptor is found by the sweep; poll(2) refuses lists that are longer than the limit of open files.
        ...[...held.values()]
          .filter(({ pidfd }) => pidfd >= 0)
          .map(({ pidfd }) => ({ descriptor: pidfd, events: POLLIN })),
      ]
      return { list, timeoutMs: Math.max(0, Math.ceil(deadlineMs - nowMs)) }
    },
    serve(events, nowMs, attempt, end) {
      const present = [...groups.values()]
      if (events.slice(present.length).some(one => one !== 0)) this.sweep()
      for (const [index, group] of present.entries())
        if (groups.has(group.listener.cookie)) serveGroup(group, events[index] ?? 0, nowMs, attempt, end)
    },
    release() {
      for (const waiting of held.values()) {
        mustAnswer(sendContinue(world.listener, waiting.call))
        drop(waiting)
      }
    },
    sweep() {
      for (const waiting of held.values()) if (!isAlive(world.listener, waiting.call)) drop(waiting)
    },
  }
}
