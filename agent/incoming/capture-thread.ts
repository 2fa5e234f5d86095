// The capture thread: reads the ring, follows the connections, and posts what they carried; blocks in poll while nothing happens.
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { mapRing } from '../linux/capture-ring.ts'
import { takeDrops } from '../linux/packet-socket.ts'
import { waitFor } from '../linux/wait.ts'
import { BatchWriter } from './batch.ts'
import { type CaptureOrder, type CaptureStart, type CaptureWord, counterNames } from './capture-orders.ts'
import { Follower } from './follow.ts'

/** The longest stay in poll: process.exit() of the agent waits for it, as a thread inside a system call can't be ended. */
const longestWaitMs = 500
const sweepEveryMs = 1000

/** Runs until it is told to close. */
function capture(start: CaptureStart, port: MessagePort): void {
  const ring = mapRing(start.socketFd, start.blocks)
  const say = (word: CaptureWord, transfer: ArrayBuffer[] = []) => port.postMessage(word, transfer)
  const sink = new BatchWriter(new Int32Array(start.credit), (batch, transfer) => say({ batch }, transfer))
  const follower = new Follower(sink, { prefix: start.prefix })
  const counters = new Float64Array(start.counters)
  let sweptMs = performance.now()
  for (let open = true; open; ) {
    const woken = waitFor(start.socketFd, start.wakerFd, longestWaitMs)
    follower.nowMs = performance.now()
    while (ring.readBlock(packet => follower.packet(ring.view, ring.bytes, packet))) {
      follower.nowMs = performance.now()
      publish(counters, follower)
    }
    const drops = takeDrops(start.socketFd)
    if (drops > 0) follower.lost(drops)
    if (follower.nowMs - sweptMs > sweepEveryMs) {
      follower.sweep()
      sweptMs = follower.nowMs
    }
    if (woken) open = obey(follower, sink, port, say)
    publish(counters, follower)
    sink.flush()
  }
  ring.unmap()
}

function publish(counters: Float64Array, follower: Follower): void {
  counterNames.forEach((name, index) => {
    counters[index] = follower.counters[name]
  })
}

/** False if one of the orders was to close. */
function obey(
  follower: Follower,
  sink: BatchWriter,
  port: MessagePort,
  say: (word: CaptureWord) => void,
): boolean {
  for (;;) {
    const message = receiveMessageOnPort(port) as { message: CaptureOrder } | undefined
    if (message === undefined) return true
    const { id, ...order } = message.message
    if (order.order === 'subscribe') follower.subscribe(order.subscription)
    else follower.close('the capture ended')
    sink.flush()
    say({ done: id })
    if (order.order === 'close') return false
  }
}

const { start, port } = workerData as { start: CaptureStart; port: MessagePort }
try {
  capture(start, port)
} finally {
  port.close()
  parentPort?.close()
}
