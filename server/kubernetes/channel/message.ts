// Messages of the channel protocol as bytes: the channel's number, then what it carries.

/**
 * The largest that is sent. The other end reads a whole message before it passes it on, and a ping or another channel waits for its end;
 * it takes up to 32 MiB (golang.org/x/net/websocket, DefaultMaxPayloadBytes).
 */
export const messageBytes = 32 << 10

/** The message of one channel: one buffer, since it must be one frame. */
export function encodeMessage(
  channel: number,
  chunks: readonly Buffer[],
  take: (bytes: number) => Buffer = Buffer.allocUnsafe,
): Buffer {
  const whole = take(1 + chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  whole[0] = channel
  let at = 1
  for (const chunk of chunks) at += chunk.copy(whole, at)
  return whole
}

/** As many whole or cut chunks as fit into one message, and what is left. */
export function nextMessage(
  chunks: readonly Buffer[],
  longestBytes = messageBytes,
): { message: Buffer[]; rest: Buffer[] } {
  const message: Buffer[] = []
  let left = longestBytes
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
