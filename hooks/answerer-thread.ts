// Thread "answerer": takes each trapped call from the kernel and sees that it gets exactly one answer.
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { openLedger } from './linux/ledger.ts'
import { errnoName } from './linux/libc.ts'
import {
  architectureOf,
  CannotAnswer,
  canSendDescriptor,
  mustAnswer,
  numberOf,
  receive,
  sendContinue,
  wakeOnSameCpu,
} from './linux/notification.ts'
import { blockSignals } from './linux/signal-mask.ts'
import { POLLERR, POLLHUP, POLLIN, poll } from './linux/sockets.ts'
import { openAcceptWatch } from './shared/accept-watch.ts'
import { normalAddresses } from './shared/announcements.ts'
import type { AnswererData, FromAnswerer, ToAnswerer } from './shared/threads.ts'
import type { Range } from './shared/window.ts'
import { type Accepting, tryAccept, waitingEnd } from './syscalls/accept.ts'
import { answerCall, reportMistake } from './syscalls/answer.ts'
import { takeOutgoing } from './syscalls/connect.ts'
import { shapeOf } from './syscalls/datagrams/messages.ts'
import { type Receiving, receivingEnd, tryReceive } from './syscalls/datagrams/receive.ts'
import { makeKeptConnections } from './syscalls/kept-connections.ts'
import { nameCall, ownArchitecture } from './syscalls/table.ts'
import { makeWaitingCalls, type WaitingCalls } from './syscalls/waiting-calls.ts'
import { makeWorld, type World } from './syscalls/world.ts'

const EINTR = 4
const ENOENT = 2
/** What the supervisor is about to say is here in less than 1 ms on a machine that is not busy. */
const awaitMs = 200
const nobodyWakes = new Int32Array(new SharedArrayBuffer(4))
const port = parentPort!
const { memory, ledger: ledgerDescriptor, filteredThread, acceptWatch } = workerData as AnswererData
const architecture = ownArchitecture()!
const say = (message: FromAnswerer) => port.postMessage(message)

/** Blocks for good in the loop, so it begins only when the message is there that names the notification descriptor. */
port.once('message', (message: ToAnswerer) => {
  if (message.type === 'listen') run(message.listener, message.window)
})
say({ type: 'loaded' })

function run(notifications: number, window: readonly Range[]): void {
  const ledger = openLedger(ledgerDescriptor)
  const said = new Set<string>()
  const world = makeWorld({
    ...{ listener: notifications, window },
    memory,
    notice(notice) {
      if (said.has(notice.text) || said.size > 1000) return
      said.add(notice.text)
      say({ type: 'notice', notice })
    },
    listening: listener => say({ type: 'listening', listener }),
    tell: message => say(message),
    hold: (id, options) => ledger.add(id, options),
    await(isThere) {
      const untilMs = performance.now() + awaitMs
      for (readMessages(); !isThere() && performance.now() < untilMs; readMessages())
        Atomics.wait(nobodyWakes, 0, 0, 1)
    },
  })
  const accepting: Accepting = {
    world,
    waiting: makeWaitingCalls(world, ledger),
    kept: makeKeptConnections(),
    watch: openAcceptWatch(acceptWatch),
    accept4: architecture.numbers.accept4,
  }
  const receiving: Receiving = {
    ...{ world, waiting: makeWaitingCalls(world, ledger, POLLIN | POLLERR | POLLHUP) },
    shapeOf: call => shapeOf(nameCall(architecture, architectureOf(call), numberOf(call))),
  }
  blockSignals()
  wakeOnSameCpu(notifications)
  say({ type: 'ready', complete: canSendDescriptor(notifications) })
  const call = ledger.current
  const thread = Atomics.load(new Int32Array(filteredThread), 0)
  while (next(notifications, accepting, receiving, readMessages)) {
    const got = receive(notifications, call)
    if (got === -ENOENT && (poll([{ descriptor: notifications, events: 0 }], 0)[0]! & POLLHUP) !== 0) break
    if (got === -EINTR || got === -ENOENT) continue
    // The supervisor ends then, and the guard answers.
    if (got < 0) throw new Error(`Cannot receive trapped calls: ${errnoName(got)}`)
    try {
      readMessagesSafely()
      answerCall(call, { architecture, accepting, receiving, filteredThread: thread })
    } catch (thrown) {
      mustAnswer(sendContinue(notifications, call))
      reportMistake(world, thrown)
    }
  }

  /** What a message could not do leaves the call that waits to be decided by what is known. */
  function readMessagesSafely(): void {
    try {
      readMessages()
    } catch (thrown) {
      if (thrown instanceof CannotAnswer) throw thrown
      reportMistake(world, thrown)
    }
  }

  function readMessages(): void {
    for (let found = receiveMessageOnPort(port); found !== undefined; found = receiveMessageOnPort(port)) {
      const message = found.message as ToAnswerer
      if (message.type === 'addresses') takeAddresses(message.addresses, world)
      else if (message.type === 'answered') ledger.remove(message.id)
      else if (message.type === 'names') {
        world.names.set(message.names)
        if (message.addresses !== undefined) takeAddresses(message.addresses, world)
      } else takeOutgoing(message, world)
    }
  }
}

function takeAddresses(addresses: readonly string[], { podAddresses }: World): void {
  podAddresses.clear()
  for (const address of normalAddresses(addresses)) podAddresses.add(address)
}

/** Serves held calls until a notification is there; false when no hooked process is left. */
function next(
  notifications: number,
  accepting: Accepting,
  receiving: Receiving,
  readMessages: () => void,
): boolean {
  while (accepting.waiting.size + receiving.waiting.size > 0) {
    const nowMs = performance.now()
    const accepts = accepting.waiting.watched(nowMs)
    const receives = receiving.waiting.watched(nowMs)
    const [own, ...others] = poll(
      [{ descriptor: notifications, events: POLLIN }, ...accepts.list, ...receives.list],
      Math.min(accepts.timeoutMs, receives.timeoutMs),
    )
    // Whom an outlet stands for is told before anything comes from there.
    readMessages()
    const isQuiet = own === 0 && others.every(events => events === 0)
    const [ofAccepts, ofReceives] = [others.slice(0, accepts.list.length), others.slice(accepts.list.length)]
    serve(accepting.waiting, accepting.world, isQuiet, waiting =>
      waiting.serve(ofAccepts, performance.now(), (...held) => tryAccept(...held, accepting), waitingEnd),
    )
    serve(receiving.waiting, accepting.world, isQuiet, waiting =>
      waiting.serve(ofReceives, performance.now(), (...held) => tryReceive(...held, receiving), receivingEnd),
    )
    // What else it may say is for the next receive to find out.
    if (own !== 0) return (own! & POLLHUP) === 0
  }
  return true
}

/** A mistake of ours leaves all that is held to the kernel. */
function serve<W extends Pick<WaitingCalls<never>, 'sweep' | 'release'>>(
  waiting: W,
  world: World,
  isQuiet: boolean,
  run: (waiting: W) => void,
): void {
  try {
    if (isQuiet) waiting.sweep()
    run(waiting)
  } catch (thrown) {
    if (thrown instanceof CannotAnswer) throw thrown
    waiting.release()
    reportMistake(world, thrown)
  }
}
