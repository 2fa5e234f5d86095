// A connection to a port of a pod as a Duplex: the data channel of one port-forward, with no byte lost before its end.
//
// Sources: k8s.io/kubelet, pkg/cri/streaming/portforward/websocket.go; containerd, pkg/cri/server/sandbox_portforward_linux.go.
import { Duplex } from 'node:stream'
import { Arrivals } from './arrivals.ts'
import { nextMessage } from './message.ts'

/** Channels of the first port; each opens with the port as 2 bytes, little endian, which may come in pieces. */
export const portForwardChannel = { data: 0, error: 1 } as const

/** What the connection asks of its ChannelSocket. */
export type Wire = {
  /** The most that `send` takes. */
  readonly messageBytes: number
  send(channel: number, chunks: readonly Buffer[], room: (error?: Error) => void): void
  pause(): void
  resume(): void
  close(done: () => void): void
}

/**
 * What the pod's program sent before its end is read before 'end' or 'error' comes, however it ended. Our own end reaches nobody: the
 * protocol has no half-close, and closing the WebSocket would cut off the answer, so `end()` is kept to ourselves and the connection lives
 * until the pod's program closes it or somebody calls `destroy`. When the program ends its side, the node waits 1 s for ours and closes
 * both: 'end' comes that late, and what is written after it is lost. Writing to a connection that the pod has closed fails with EPIPE,
 * but not before its last byte was read.
 */
export class PodConnection extends Duplex {
  readonly #wire: Wire
  readonly #arrivals: Arrivals
  #over = false
  #readAll = false
  /** The write that found the connection closed; it fails when what came before was read. */
  #failWrite: ((error: Error) => void) | undefined

  constructor(wire: Wire) {
    super({ readableHighWaterMark: 0, writableHighWaterMark: 64 << 10 })
    this.#wire = wire
    this.#arrivals = new Arrivals(this, wire)
    // The node has closed both directions.
    this.once('end', () => {
      this.#readAll = true
      if (this.#failWrite === undefined) this.end()
      else this.#failWrite(brokenPipe())
    })
  }

  /** Bytes of the data channel, without the port. */
  arrived(bytes: Buffer): void {
    this.#arrivals.add(bytes)
  }

  /** Nothing comes any more; `fault` says why, when the program did not simply close. */
  over(fault: Error | undefined): void {
    this.#over = true
    this.#arrivals.over(fault)
  }

  override _read(): void {
    this.#arrivals.read()
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
    this.#arrivals.drop()
    this.#wire.close(() => done(error))
  }

  #send(chunks: Buffer[], done: (error?: Error | null) => void): void {
    if (this.#readAll) {
      done(brokenPipe())
      return
    }
    if (this.#over) {
      this.#failWrite = done
      return
    }
    const { message, rest } = nextMessage(chunks, this.#wire.messageBytes)
    this.#wire.send(portForwardChannel.data, message, error => {
      if (error !== undefined) this.#failWrite = done
      else if (rest.length > 0) this.#send(rest, done)
      else done()
    })
  }
}

function brokenPipe(): Error {
  return Object.assign(new Error('write EPIPE: the pod closed the connection'), { code: 'EPIPE' })
}
