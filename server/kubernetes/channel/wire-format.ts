// How one WebSocket carries the channels of a port-forward or an exec: as messages that begin with the channel's number, or as SPDY.
import { encodeMessage, messageBytes } from './message.ts'
import type { Take } from './message-memory.ts'

/** What is found in the bytes that come. */
export type Found = {
  message(channel: number, bytes: Buffer): void
  /** An answer to a ping of ours. */
  pong(): void
  /** To be sent back at once. */
  reply(bytes: Buffer): void
  /** No message follows; `fault` says why it was no orderly end. */
  over(fault: string | undefined): void
}

export type WireFormat = {
  /** Sent at once, each as a message of its own. */
  readonly opening: readonly Buffer[]
  /** The most of a channel that one message carries. */
  readonly messageBytes: number
  /** In memory that `take` gives, all of which is overwritten. */
  encode(channel: number, chunks: readonly Buffer[], take: Take): Buffer
  decode(bytes: Buffer, found: Found): void
  /** A ping that the pod's node answers; without it the WebSocket's own ping is one. */
  ping?(): Buffer
}

/**
 *   message   channel (1 byte)   bytes of that channel, to the end of the message
 *
 * Source: k8s.io/apimachinery, pkg/util/httpstream/wsstream/conn.go.
 */
export const channelFormat: WireFormat = {
  opening: [],
  messageBytes,
  encode: encodeMessage,
  decode(bytes, { message }) {
    if (bytes.length > 0) message(bytes[0]!, bytes.subarray(1))
  },
}
