// The events of one watch connection, until it ends or falls silent.
import type { IncomingMessage } from 'node:http'
import { LineReader } from '../../lines.ts'

/** As it comes over the wire; the object of an ERROR is a Status. */
export type RawEvent = { type: string; object: unknown }

/** etcd takes objects of 1.5 MiB, and some clusters are set to take more. */
const maxLineBytes = 32 << 20

export class SilentWatch extends Error {}

/**
 * Ends when the server ends the answer. Throws when the connection breaks or brings no byte for `silenceMs` while somebody waits for one; a
 * line that was cut is no event. The time that its reader takes for an event does not count as silence.
 */
export async function* readEvents(response: IncomingMessage, silenceMs: number): AsyncGenerator<RawEvent> {
  const reader = new LineReader(maxLineBytes)
  const chunks: AsyncIterator<Buffer> = response[Symbol.asyncIterator]()
  const seconds = Math.ceil(silenceMs / 1_000)
  try {
    for (;;) {
      const timer = setTimeout(
        () => response.destroy(new SilentWatch(`nothing came for ${seconds} s`)),
        silenceMs,
      )
      const next = await chunks.next().finally(() => clearTimeout(timer))
      if (next.done) return
      for (const line of reader.read(next.value)) if (line !== '') yield JSON.parse(line) as RawEvent
    }
  } finally {
    response.destroy()
  }
}
