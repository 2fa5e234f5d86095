// One WebSocket that carries the channels of a port-forward or an exec: bounded writing, pausing, one end.
//
// The other end of the channel protocol reads a message as one WebSocket frame and does not put fragments together
// (golang.org/x/net/websocket, Codec.Receive), so every message is sent as exactly one frame.
import type { RawData, WebSocket } from 'ws'
import { MessageMemory } from './message-memory.ts'
import { Pulse } from './pulse.ts'
import { channelFormat, type Found, type WireFormat } from './wire-format.ts'

/** What may wait in the WebSocket and its socket before a writer has to wait. */
const bufferedBytes = 128 << 10
/** How long the other end may take to answer our close frame. */
const closeWithinMs = 1_000

export type ChannelEvents = {
  message(channel: number, bytes: Buffer): void
  /** Called once, when no message follows; `fault` says why it was no orderly end (close code 1000). Not called after `close`. */
  ended(fault: string | undefined): void
  /** See PulseOptions. */
  reachable(): Promise<boolean>
}

const binary = { binary: true, compress: false }

export class ChannelSocket {
  readonly #ws: WebSocket
  readonly #format: WireFormat
  readonly #memory: MessageMemory
  #events: ChannelEvents | undefined
  #pulse: Pulse | undefined
  #fault: string | undefined
  #open = true
  #roomWanted: ((error?: Error) => void) | undefined

  /** Takes over an open WebSocket, whose messages wait until `start`. */
  constructor(ws: WebSocket, format: WireFormat = channelFormat) {
    this.#ws = ws
    this.#format = format
    this.#memory = new MessageMemory(format.messageBytes)
  }

  get messageBytes(): number {
    return this.#format.messageBytes
  }

  /** To be called at once, in the turn of the constructor. */
  start(events: ChannelEvents): void {
    const ws = this.#ws
    this.#events = events
    this.#pulse = new Pulse(ws, {
      reachable: events.reachable,
      dead: reason => this.#breakOff(reason),
      ...this.#ownPing(),
    })
    ws.binaryType = 'nodebuffer'
    ws.on('message', this.#message)
    ws.on('error', this.#failed)
    ws.on('close', this.#closed)
    for (const bytes of this.#format.opening) this.#sendRaw(bytes)
    ws.resume()
  }

  /** Sends one message; `room` is called when the next may come, with an error if none can. At most one waits at a time. */
  send(channel: number, chunks: readonly Buffer[], room: (error?: Error) => void): void {
    if (!this.#open) {
      room(new Error('the connection is closed'))
      return
    }
    // It ends: `ended` follows, in a later turn, which a writer that is told of room again and again would never let come.
    if (this.#ws.readyState !== this.#ws.OPEN) {
      this.#roomWanted = room
      return
    }
    this.#pulse?.sent()
    const bytes = this.#format.encode(channel, chunks, this.#memory.take)
    this.#ws.send(bytes, binary, error => {
      this.#memory.giveBack(bytes)
      this.#sent(error)
    })
    if (this.#ws.bufferedAmount <= bufferedBytes) room()
    else this.#roomWanted = room
  }

  /** Stops reading; at most what is read already still comes. */
  pause(): void {
    if (this.#open) this.#ws.pause()
  }

  resume(): void {
    if (this.#open && this.#ws.isPaused) this.#ws.resume()
  }

  /** Ends it: what was sent goes out, what comes is dropped, and within 1 s the socket is gone, whatever the other end does. */
  close(done: () => void): void {
    this.#release()
    if (this.#ws.readyState === this.#ws.CLOSED) {
      done()
      return
    }
    const timer = setTimeout(() => this.#ws.terminate(), closeWithinMs)
    this.#ws.once('close', () => {
      clearTimeout(timer)
      done()
    })
    this.#ws.resume()
    this.#ws.close(1000)
  }

  #ownPing(): { ping?: () => void } {
    const { ping } = this.#format
    return ping === undefined ? {} : { ping: () => this.#sendRaw(ping()) }
  }

  /** What no writer waits for; a socket that cannot send says so itself, by its end. */
  #sendRaw(bytes: Buffer): void {
    this.#ws.send(bytes, binary, () => {})
  }

  readonly #sent = (error?: Error | null): void => {
    // A socket that failed says so by its end, after what came before it was read.
    if (error || this.#ws.bufferedAmount > bufferedBytes / 2) return
    const room = this.#roomWanted
    this.#roomWanted = undefined
    room?.()
  }

  readonly #message = (data: RawData, isBinary: boolean): void => {
    this.#pulse?.heard()
    const bytes = data as Buffer
    if (!isBinary) this.#breakOff('the cluster sent text where bytes belong')
    else this.#format.decode(bytes, this.#found)
  }

  readonly #found: Found = {
    message: (channel, bytes) => {
      if (this.#open) this.#events?.message(channel, bytes)
    },
    pong: () => this.#pulse?.ponged(),
    reply: bytes => this.#sendRaw(bytes),
    over: fault => {
      this.#fault = fault
      this.#end()
    },
  }

  /** What does not follow the WebSocket protocol; a socket's own errors do not come here, only its end. */
  readonly #failed = (error: Error): void => {
    this.#fault ??= `the connection broke (${error.message})`
  }

  readonly #closed = (code: number, text: Buffer): void => {
    this.#fault ??= faultOf(code, text.toString())
    this.#end()
  }

  #breakOff(fault: string): void {
    this.#fault = fault
    this.#ws.terminate()
    this.#end()
  }

  #end(): void {
    if (!this.#open) return
    this.#release()
    this.#events?.ended(this.#fault)
  }

  #release(): void {
    this.#open = false
    this.#pulse?.stop()
    this.#ws.off('message', this.#message)
    this.#ws.off('close', this.#closed)
    const room = this.#roomWanted
    this.#roomWanted = undefined
    room?.(new Error('the connection is closed'))
  }
}

/** Close codes: RFC 6455 section 7.4.1. */
function faultOf(code: number, text: string): string | undefined {
  if (code === 1000) return undefined
  if (code === 1005 || code === 1006) return 'the connection was cut'
  return `the cluster closed the connection (${code}${text === '' ? '' : ` ${text}`})`
}
