// Reads the channels of one port-forward: the port that opens each, the data, the text of an error.
import { Failure } from '../../../protocol/errors.ts'
import { connectionFault } from './explain.ts'
import { type PodConnection, portForwardChannel } from './pod-connection.ts'

const portBytes = 2
/** An error is a sentence; more of it is not kept. */
const errorTextBytes = 8 << 10

export type PortFramesOptions = {
  pod: string
  port: number
  connection: PodConnection
  /** Called at a message that does not follow the protocol; the connection ends with that. */
  abandon(): void
}

export class PortFrames {
  /** The node has opened both channels. Rejects if it ends before. */
  readonly opened: Promise<void>
  readonly #options: PortFramesOptions
  readonly #ports = {
    [portForwardChannel.data]: Buffer.alloc(0),
    [portForwardChannel.error]: Buffer.alloc(0),
  }
  #settle: { resolve(): void; reject(failure: Failure): void } | undefined
  #errorText: Buffer[] = []
  #errorBytes = 0

  constructor(options: PortFramesOptions) {
    this.#options = options
    this.opened = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    // Who stopped waiting for it must not end the process.
    this.opened.catch(() => {})
  }

  message(channel: number, bytes: Buffer): void {
    if (channel !== portForwardChannel.data && channel !== portForwardChannel.error) {
      this.#misread(`the cluster sent a message of channel ${channel}, which does not exist`)
      return
    }
    const data = this.#afterPort(channel, bytes)
    if (data === undefined) return
    if (channel === portForwardChannel.data) this.#options.connection.arrived(data)
    else this.#keepError(data)
  }

  ended(fault: string | undefined): void {
    const { pod, port, connection } = this.#options
    const text = Buffer.concat(this.#errorText).toString().trim()
    const failure = connectionFault({ pod, port, fault, text })
    this.#settle?.reject(
      failure ??
        new Failure('channel-failed', {
          verb: `forward port ${port} of`,
          pod,
          reason: 'the node closed the connection before it was open',
        }),
    )
    connection.over(failure)
  }

  /** What of the message follows the port; undefined at a wrong one. */
  #afterPort(channel: 0 | 1, bytes: Buffer): Buffer | undefined {
    const seen = this.#ports[channel]
    if (seen.length === portBytes) return bytes
    const port = Buffer.concat([seen, bytes.subarray(0, portBytes - seen.length)])
    this.#ports[channel] = port
    if (port.length < portBytes) return undefined
    const number = port.readUInt16LE()
    if (number !== this.#options.port) {
      this.#misread(`the cluster opened port ${number} instead`)
      return undefined
    }
    if (Object.values(this.#ports).every(({ length }) => length === portBytes)) this.#settle?.resolve()
    return bytes.subarray(portBytes - seen.length)
  }

  #keepError(bytes: Buffer): void {
    if (this.#errorBytes >= errorTextBytes) return
    this.#errorText.push(bytes)
    this.#errorBytes += bytes.length
  }

  #misread(fault: string): void {
    this.#options.abandon()
    this.ended(fault)
  }
}
