// The passive copy of what callers and pod say to each other: from the capture ring to ordered streams.
import type { CaptureCounters } from '../../protocol/agent/control.ts'
import { Capture } from './capture.ts'
import type { MirrorOptions, Subscription } from './subscription.ts'

/** Opens nothing until `subscribe` names a port. Must be made by a thread that is in the target's network namespace. */
export type Mirror = {
  /** Replaces the subscription; resolves when the capture is in force. Connections of ports that stay live on. */
  subscribe(subscription: Subscription): Promise<void>
  counters(): Promise<Omit<CaptureCounters, 'slow'>>
  close(): Promise<void>
}

type Totals = Omit<CaptureCounters, 'slow'>
const nothing: Totals = { packets: 0, bytes: 0, ringDrops: 0, connections: 0, gaps: 0, unopened: 0 }

/**
 * Socket, ring and thread exist while a port is subscribed. Memory is bounded: the ring (32 MiB), segments out of order (64 MiB), what is
 * on its way from the thread (32 MiB), and 65,536 connections.
 */
export function openMirror(options: MirrorOptions): Mirror {
  let current: Capture | undefined
  let past = nothing
  let opened = 0
  let turn: Promise<unknown> = Promise.resolve()

  const end = async () => {
    const ending = current
    current = undefined
    await ending?.close()
    if (ending) past = sum(past, ending.counters())
  }
  const apply = async (subscription: Subscription) => {
    if (current?.failed) await end()
    if (subscription.ports.length === 0) return end()
    current ??= Capture.open(options, `${++opened}-`)
    await current.subscribe(subscription)
  }
  /** One after the other, however many ask at once. */
  const inTurn = (step: () => Promise<void>): Promise<void> => {
    const mine = turn.then(step)
    turn = mine.catch(() => undefined)
    return mine
  }
  return {
    subscribe: subscription => inTurn(() => apply(subscription)),
    counters: async () => (current === undefined ? past : sum(past, current.counters())),
    close: () => inTurn(end),
  }
}

function sum(a: Totals, b: Totals): Totals {
  const names = Object.keys(nothing) as (keyof Totals)[]
  return Object.fromEntries(names.map(name => [name, a[name] + b[name]])) as Totals
}
