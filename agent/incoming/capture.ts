// One run of the capture as the main thread sees it: socket, filter, ring, and the thread that reads it.
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { CaptureCounters } from '../../protocol/agent/control.ts'
import { Failure } from '../../protocol/errors.ts'
import { layRing } from '../linux/capture-ring.ts'
import { attachFilter, bindToAllInterfaces, closeSocket, openPacketSocket } from '../linux/packet-socket.ts'
import { openWaker, wake } from '../linux/wait.ts'
import { type Batch, type Credit, giveBack, readBatch } from './batch.ts'
import { programBytes } from './bpf-program.ts'
import { type CaptureOrder, type CaptureStart, type CaptureWord, counterNames } from './capture-orders.ts'
import { startCaptureThread } from './capture-program.ts'
import { captureFilter } from './filter.ts'
import type { MirrorOptions, StreamWriter, Subscription } from './subscription.ts'

const nothing: Subscription = { ports: [], answers: 'none', loopbackOnly: false }

type Waiting = { resolve(): void; reject(failure: Failure): void }

export class Capture {
  /** The thread died: all streams were reset, and nothing is captured. */
  failed = false
  readonly #writers = new Map<number, StreamWriter>()
  readonly #waiting = new Map<number, Waiting>()
  readonly #credit: Credit = new Int32Array(new SharedArrayBuffer(4))
  readonly #counters = new Float64Array(new SharedArrayBuffer(counterNames.length * 8))
  readonly #port: MessagePort
  readonly #ended: Promise<void>
  #subscription = nothing
  #bound = false
  #closing = false
  #lastId = 0

  /** The calling thread must be in the target's network namespace: the socket stays there, whichever thread reads it. */
  static open(options: MirrorOptions, prefix: string): Capture {
    const socketFd = openPacketSocket()
    try {
      const blocks = layRing(socketFd)
      attachFilter(socketFd, programBytes(captureFilter(nothing)))
      return new Capture(options, prefix, socketFd, blocks, openWaker())
    } catch (failure) {
      closeSocket(socketFd)
      throw failure
    }
  }

  private constructor(
    readonly options: MirrorOptions,
    prefix: string,
    readonly socketFd: number,
    blocks: number,
    readonly wakerFd: number,
  ) {
    const { port1, port2 } = new MessageChannel()
    const credit = this.#credit.buffer
    const counters = this.#counters.buffer
    const start: CaptureStart = { socketFd, wakerFd, blocks, prefix, credit, counters }
    const worker = startCaptureThread({
      workerData: { start, port: port2 },
      transferList: [port2],
    })
    this.#port = port1
    port1.on('message', (word: CaptureWord) => this.#hear(word))
    this.#ended = new Promise(resolve => {
      worker.on('error', fault => this.#fail(fault))
      worker.on('exit', () => {
        if (!this.#closing) this.#fail('it ended by itself')
        resolve()
      })
    })
  }

  /**
   * The thread learns of added ports before the filter lets them by, and of removed ones and of the answers mode after it: so no SYN of a
   * subscribed port is overlooked, and no connection is promised more of its answers than the filter captures.
   */
  async subscribe(subscription: Subscription): Promise<void> {
    const ports = [...new Set([...this.#subscription.ports, ...subscription.ports])]
    await this.#order({ order: 'subscribe', subscription: { ...this.#subscription, ports } })
    attachFilter(this.socketFd, programBytes(captureFilter(subscription)))
    await this.#order({ order: 'subscribe', subscription })
    if (!this.#bound) bindToAllInterfaces(this.socketFd)
    this.#bound = true
    this.#subscription = subscription
  }

  counters(): Omit<CaptureCounters, 'slow'> {
    const [packets = 0, bytes = 0, connections = 0, gaps = 0, ringDrops = 0, unopened = 0] = this.#counters
    return { packets, bytes, ringDrops, connections, gaps, unopened }
  }

  /** Resets what is still open, and returns when socket and thread are gone. */
  async close(): Promise<void> {
    this.#closing = true
    if (!this.failed) await this.#order({ order: 'close' }).catch(() => undefined)
    await this.#ended
    this.#port.close()
    closeSocket(this.socketFd)
    closeSocket(this.wakerFd)
  }

  #order(order: { order: 'subscribe'; subscription: Subscription } | { order: 'close' }): Promise<void> {
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      if (this.failed) return reject(threadFailure())
      this.#waiting.set(id, { resolve, reject })
      this.#port.postMessage({ id, ...order } satisfies CaptureOrder)
      wake(this.wakerFd)
    })
  }

  #hear(word: CaptureWord): void {
    if ('batch' in word) this.#handle(word.batch)
    else {
      this.#waiting.get(word.done)?.resolve()
      this.#waiting.delete(word.done)
    }
  }

  #handle(batch: Batch): void {
    readBatch(batch, {
      opened: (stream, opened) => this.#writers.set(stream, this.options.openStream(opened)),
      data: (stream, bytes, timeMs) => this.#writers.get(stream)?.data(bytes, timeMs),
      skipped: (stream, bytes, timeMs) => this.#writers.get(stream)?.skipped(bytes, timeMs),
      end: stream => this.#take(stream)?.end(),
      reset: (stream, reason) => this.#take(stream)?.reset(reason),
    })
    giveBack(this.#credit, batch)
  }

  #take(stream: number): StreamWriter | undefined {
    const writer = this.#writers.get(stream)
    this.#writers.delete(stream)
    return writer
  }

  #fail(fault: unknown): void {
    if (this.failed) return
    this.failed = true
    const reason = fault instanceof Error ? fault.message : String(fault)
    for (const writer of this.#writers.values()) writer.reset('the capture failed')
    this.#writers.clear()
    for (const waiting of this.#waiting.values()) waiting.reject(threadFailure(fault))
    this.#waiting.clear()
    this.options.onNotice(
      `The capture failed, and nothing is mirrored until the next subscription: ${reason}`,
    )
  }
}

function threadFailure(cause?: unknown): Failure {
  return new Failure('agent-failed', { reason: 'the capture thread ended' }, { cause })
}
