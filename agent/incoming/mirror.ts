// The passive copy of what callers and pod say to each other: from the capture ring to ordered streams.
import type { CaptureCounters, Opened } from '../../protocol/agent/control.ts'
import { Capture } from './capture.ts'

/** Takes one direction of one connection, in order. After `end` or `reset` nothing follows. `timeMs`: milliseconds since the Unix epoch. */
export type StreamWriter = {
  data(bytes: Buffer, timeMs: number): void
  /** Bytes that passed and were not captured on purpose (answers mode "heads"). */
  skipped(bytes: number, timeMs: number): void
  end(): void
  reset(reason: string): void
}

export type MirrorOptions = {
  /** A direction of a connection begins. The writer keeps what it is given or leaves it; nothing waits for it. */
  openStream(opened: Opened): StreamWriter
  onNotice(text: string): void
}

export type Subscription = {
  ports: readonly number[]
  answers: 'none' | 'heads' | 'all'
  /** Capture on loopback alone: a mesh sidecar stands before the program, and only what it passes on is readable. */
  loopbackOnly: boolean
}

/** Opens nothing until `subscribe` names a port. Must be made by a thread that is in the target's network namespace. */
export type Mirror = {
  /** Replaces the subscription; resolves when the capture is in force. Connections of ports that stay live on. */
  subscribe(subscription: Subscription): Promise<void>
  counters(): Promise<Omit<CaptureCounters, 'slow'>>
  close(): Promise<void>
}

type Totals = Omit<CaptureCounters, 'slow'>
const nothing: Totals = { packets: 0, bytes: 0, ringDrops: 0, connections: 0, gaps: 0 }

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
