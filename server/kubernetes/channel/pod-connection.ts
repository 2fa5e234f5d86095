// A connection to a port of a pod as a Duplex: the data and error channels of one port-forward, with no byte lost before its end.
//
// Sources: k8s.io/kubelet, pkg/cri/streaming/portforward/websocket.go; containerd, pkg/cri/server/sandbox_portforward_linux.go.
import { Duplex } from 'node:stream'
import { messageBytes } from './channel-socket.ts'

/** Channels of the first port; each opens with the port as 2 bytes, little endian, which may come in pieces. */
export const portForwardChannel = { data: 0, error: 1 } as const

/** What came and was not read yet: above the first the WebSocket is paused, below the second it goes on. */
const pauseBytes = 256 << 10
const resumeBytes = 64 << 10

/** What the connection asks of its ChannelSocket. */
export type Wire = {
  send(channel: number, chunks: readonly Buffer[], room: (error?: Error) => void): void
  pause(): void
  resume(): void
  close(done: () => void): void
}

/**
 * What the pod's program sent before its end is read before 'end' or 'error' comes, however it ended. Our own end reaches nobody: the
 * protocol has no half-close, and closing the WebSocket would cut off the answer, so `end()` is kept to ourselves and the connection lives
 * until the pod's program closes it or somebody calls `destroy`. When the program ends its side, the node closes both within 1 s.
 * Writing to a connection that the pod has closed fails once its last byte was read.
 */
export class PodConnection extends Duplex {
  readonly #wire: Wire
  #arrived: Buffer[] = []
  #arrivedBytes = 0
  #wanted = false
  #ended: { fault: Error | undefined } | undefined
  #readAll = false
  /** The write that found the connection closed; it fails when what came before was read. */
  #failWrite: ((error: Error) => void) | undefined

  constructor(wire: Wire) {
    // What came waits here, not in the stream: an error would drop what the stream holds.
    super({ readableHighWaterMark: 0, writableHighWaterMark: 64 << 10, allowHalfOpen: true })
    this.#wire = wire
  }

  /** Bytes of the data channel, without the port. */
  arrived(bytes: Buffer): void {
    if (bytes.length === 0 || this.destroyed) return
    if (this.#wanted) {
      this.#wanted = false
      this.push(bytes)
      return
    }
    this.#arrived.push(bytes)
    this.#arrivedBytes += bytes.length
    if (this.#arrivedBytes > pauseBytes) this.#wire.pause()
  }

  /** Nothing comes any more; `fault` says why when the program did not simply close. Both wait until all was read. */
  over(fault: Error | undefined): void {
    this.#ended = { fault }
    if (this.#arrived.length === 0 && (this.#wanted || this.readableLength === 0)) this.#finish()
  }

  override _read(): void {
    const bytes = this.#arrived.shift()
    if (bytes === undefined) {
      this.#wanted = true
      if (this.#ended !== undefined) this.#finish()
      return
    }
    this.#arrivedBytes -= bytes.length
    if (this.#arrivedBytes < resumeBytes) this.#wire.resume()
    this.push(bytes)
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#send([chunk], done)
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#send(
      chunks.map(({ chunk }) => chunk),
      done,
    )
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#arrived = []
    this.#wire.close(() => done(error))
  }

  #send(chunks: Buffer[], done: (error?: Error | null) => void): void {
    if (this.#readAll) {
      done(brokenPipe())
      return
    }
    if (this.#ended !== undefined) {
      this.#failWrite = done
      return
    }
    const { message, rest } = nextMessage(chunks)
    this.#wire.send(portForwardChannel.data, message, error => {
      if (error !== undefined) this.#failWrite = done
      else if (rest.length > 0) this.#send(rest, done)
      else done()
    })
  }

  #finish(): void {
    if (this.#ended?.fault !== undefined) {
      this.destroy(this.#ended.fault)
      return
    }
    this.push(null)
    // The node has closed both directions.
    this.once('end', () => {
      this.#readAll = true
      if (this.#failWrite === undefined) this.end()
      else this.#failWrite(brokenPipe())
    })
  }
}

function brokenPipe(): Error {
  return Object.assign(new Error('write EPIPE: the pod closed the connection'), { code: 'EPIPE' })
}

/** As many whole or cut chunks as fit into one message, and what is left. */
export function nextMessage(chunks: readonly Buffer[]): { message: Buffer[]; rest: Buffer[] } {
  const message: Buffer[] = []
  let left = messageBytes
  for (const [index, chunk] of chunks.entries()) {
    if (chunk.length > left) {
      if (left > 0) message.push(chunk.subarray(0, left))
      return { message, rest: [chunk.subarray(left), ...chunks.slice(index + 1)] }
    }
    message.push(chunk)
    left -= chunk.length
  }
  return { message, rest: [] }
}
