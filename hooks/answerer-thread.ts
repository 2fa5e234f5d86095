// Thread "answerer": takes each trapped call from the kernel and sees that it gets exactly one answer.
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { openLedger } from './linux/ledger.ts'
import { errnoName } from './linux/libc.ts'
import {
  CannotAnswer,
  canSendDescriptor,
  mustAnswer,
  receive,
  sendContinue,
  wakeOnSameCpu,
} from './linux/notification.ts'
import { blockSignals } from './linux/signal-mask.ts'
import { POLLHUP, POLLIN, poll } from './linux/sockets.ts'
import { openAcceptWatch } from './shared/accept-watch.ts'
import { normalAddresses } from './shared/announcements.ts'
import type { AnswererData, FromAnswerer, ToAnswerer } from './shared/threads.ts'
import { type Accepting, tryAccept, waitingEnd } from './syscalls/accept.ts'
import { answerCall, reportMistake } from './syscalls/answer.ts'
import { takeOutgoing } from './syscalls/connect.ts'
import { makeKeptConnections } from './syscalls/kept-connections.ts'
import { ownArchitecture } from './syscalls/table.ts'
import { makeWaitingCalls } from './syscalls/waiting-calls.ts'
import { makeWorld } from './syscalls/world.ts'

const EINTR = 4
const ENOENT = 2
const port = parentPort!
const { memory, ledger: ledgerDescriptor, filteredThread, acceptWatch } = workerData as AnswererData
const architecture = ownArchitecture()!
const say = (message: FromAnswerer) => port.postMessage(message)

/** Blocks for good in the loop, so it begins only when the message is there that names the notification descriptor. */
port.once('message', (message: ToAnswerer) => {
  if (message.type === 'listen') run(message.listener)
})
say({ type: 'loaded' })

function run(notifications: number): void {
  const ledger = openLedger(ledgerDescriptor)
  const said = new Set<string>()
  const world = makeWorld({
    listener: notifications,
    memory,
    notice(notice) {
      if (said.has(notice.text) || said.size > 1000) return
      said.add(notice.text)
      say({ type: 'notice', notice })
    },
    listening: listener => say({ type: 'listening', listener }),
    tell: message => say(message),
    hold: id => ledger.add(id),
  })
  const accepting: Accepting = {
    world,
    waiting: makeWaitingCalls(world, ledger),
    kept: makeKeptConnections(),
    watch: openAcceptWatch(acceptWatch),
    accept4: architecture.numbers.accept4,
  }
  blockSignals()
  wakeOnSameCpu(notifications)
  say({ type: 'ready', complete: canSendDescriptor(notifications) })
  const call = ledger.current
  const thread = Atomics.load(new Int32Array(filteredThread), 0)
  while (next(notifications, accepting)) {
    const got = receive(notifications, call)
    if (got === -ENOENT && (poll([{ descriptor: notifications, events: 0 }], 0)[0]! & POLLHUP) !== 0) break
    if (got === -EINTR || got === -ENOENT) continue
    // The supervisor ends then, and the guard answers.
    if (got < 0) throw new Error(`Cannot receive trapped calls: ${errnoName(got)}`)
    try {
      readMessages()
      answerCall(call, { architecture, accepting, filteredThread: thread })
    } catch (thrown) {
      mustAnswer(sendContinue(notifications, call))
      reportMistake(world, thrown)
    }
  }

  function readMessages(): void {
    for (let found = receiveMessageOnPort(port); found !== undefined; found = receiveMessageOnPort(port)) {
      const message = found.message as ToAnswerer
      if (message.type === 'addresses') world.podAddresses = normalAddresses(message.addresses)
      else if (message.type === 'answered') ledger.remove(message.id)
      else if (message.type === 'names') world.names.set(message.names)
      else takeOutgoing(message, world)
    }
  }
}

/** Serves held calls until a notification is there; false when no hooked process is left. */
function next(notifications: number, accepting: Accepting): boolean {
  const { waiting } = accepting
  while (waiting.size > 0) {
    const { list, timeoutMs } = waiting.watched(performance.now())
    const [own, ...others] = poll([{ descriptor: notifications, events: POLLIN }, ...list], timeoutMs)
    try {
      if (others.every(events => events === 0) && own === 0) waiting.sweep()
      waiting.serve(
        others,
        performance.now(),
        (call, copy, listener) => tryAccept(call, copy, listener, accepting),
        waitingEnd,
      )
    } catch (thrown) {
      if (thrown instanceof CannotAnswer) throw thrown
      waiting.release()
      reportMistake(accepting.world, thrown)
    }
    // What else it may say is for the next receive to find out.
    if (own !== 0) return (own! & POLLHUP) === 0
  }
  return true
}
