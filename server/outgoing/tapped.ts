// A stream of the link that tells somebody of the bytes that pass each way, and of why it was reset.
import type { LinkStream } from '../../protocol/link/link-stream.ts'

/** The bytes are good for the length of the call: what is to be kept is copied. */
export type StreamTaps = {
  sent(bytes: Buffer): void
  received(bytes: Buffer): void
  reset(reason: string): void
}

export function tapped(stream: LinkStream, taps: StreamTaps): LinkStream {
  return {
    id: stream.id,
    get queuedBytes() {
      return stream.queuedBytes
    },
    get events() {
      return stream.events
    },
    set events(events) {
      stream.events = events && {
        ...events,
        data: data => {
          taps.received(data.bytes)
          events.data(data)
        },
        reset: reason => {
          taps.reset(reason)
          events.reset(reason)
        },
      }
    },
    write: data => {
      taps.sent(data.bytes)
      stream.write(data)
    },
    end: () => stream.end(),
    reset: reason => {
      taps.reset(reason)
      stream.reset(reason)
    },
    grant: bytes => stream.grant(bytes),
  }
}
