// A port-forward as SPDY inside of a WebSocket, which API servers since 1.30 offer and kubectl uses: its node takes uploads half as fast again.
//
// One connection to a port is two streams, as in the channel protocol two channels: the error stream is opened first, then the data stream. The
// node answers each with a SYN_REPLY, writes what went wrong to the error stream, and ends or resets both.
// Sources: k8s.io/kubelet, pkg/cri/streaming/portforward/httpstream.go; k8s.io/apiserver, pkg/util/proxy/streamtunnel.go.
import { portForwardChannel } from './pod-connection.ts'
import { encodeData, encodePing, encodeSynStream, FrameReader, flagFin, HeaderBlocks } from './spdy-frames.ts'
import type { Found, WireFormat } from './wire-format.ts'

/** The WebSocket's subprotocol. */
export const tunnelProtocol = 'SPDY/3.1+portforward.k8s.io'

/**
 * Two of the link's largest frames with their heads. All on the way pass on what they have of a message, so that a long one delays nothing,
 * and each message costs each of the three servers a turn: of a frame of 64 KiB, pieces of 32 KiB leave a third message of 20 bytes.
 */
export const tunnelMessageBytes = 132 << 10

/** Streams that a client opens have odd numbers. */
const streams = { error: 1, data: 3 } as const
const channels: Readonly<Record<number, number>> = {
  [streams.error]: portForwardChannel.error,
  [streams.data]: portForwardChannel.data,
}

/** The format of one connection to this port; it keeps state, so each WebSocket has its own. */
export function tunnelFormat(port: number): WireFormat {
  const reader = new FrameReader()
  const blocks = new HeaderBlocks()
  const opened = Buffer.alloc(2)
  opened.writeUInt16LE(port)
  const open = (type: 'error' | 'data') =>
    encodeSynStream(streams[type], blocks.encode({ streamtype: type, port: String(port), requestid: '0' }))
  let lastPing = -1
  const over = new Set<number>()
  let fault: string | undefined

  function take(bytes: Buffer, found: Found): void {
    for (const frame of reader.read(bytes)) {
      if (frame.type === 'ping') {
        if (frame.id % 2 === 1) found.pong()
        else found.reply(encodePing(frame.id))
      } else if (frame.type !== 'other' && frame.stream in channels && !over.has(frame.stream)) {
        const channel = channels[frame.stream]!
        // As the channel protocol says it: a channel that is open begins with its port.
        if (frame.type === 'reply') found.message(channel, opened)
        if (frame.type === 'data') found.message(channel, frame.bytes)
        if (frame.type === 'reset') fault ??= 'the node reset the connection'
        if (frame.type === 'reset' || frame.fin) end(frame.stream, found)
      }
    }
  }

  /** The text of an error may come after the end of the data, so both have to be over. */
  function end(stream: number, found: Found): void {
    over.add(stream)
    if (over.size === Object.keys(channels).length) found.over(fault)
  }

  return {
    // Nothing of ours follows on the error stream.
    opening: [open('error'), encodeData(streams.error, [], { flags: flagFin }), open('data')],
    messageBytes: tunnelMessageBytes,
    encode: (_, chunks, take) => encodeData(streams.data, chunks, { take }),
    decode(bytes, found) {
      try {
        take(bytes, found)
      } catch (error) {
        found.over(`the cluster sent what cannot be read: ${(error as Error).message}`)
      }
    },
    ping() {
      lastPing += 2
      return encodePing(lastPing)
    },
  }
}
