// Carries the questions of one stream to a nameserver of the pod, and the answers back, in whatever order they come.
import type { Endpoint } from '../../protocol/codec.ts'
import type { LinkStream } from '../../protocol/link/link-stream.ts'
import { splitMessages, withLength } from '../../protocol/names/messages.ts'
import { exchange } from './exchange.ts'

/** No resolver has so many open at once on one connection. */
const mostOpen = 1_000
/** A message begins with a header of 12 bytes. */
const headerBytes = 12

/** `stream` carries DNS messages, each after its length, as a TCP connection does; a question that gets no answer ends it with the errno. */
export function carryNames(
  stream: LinkStream,
  { nameserver, withinMs }: { nameserver: Endpoint; withinMs: number },
): void {
  let open = 0
  let ended = false
  let over = false
  const reset = (reason: string) => {
    over = true
    stream.reset(reason)
  }
  const split = splitMessages(query => void ask(query))
  async function ask(query: Buffer): Promise<void> {
    if (over) return
    if (query.length < headerBytes) return reset('what was asked is no DNS message')
    if (open >= mostOpen) return reset('too many questions are open')
    open += 1
    try {
      const answer = await exchange(query, nameserver, withinMs)
      if (!over) stream.write({ bytes: withLength(answer) })
    } catch (error) {
      if (!over) reset((error as NodeJS.ErrnoException).code ?? String(error))
    } finally {
      open -= 1
      if (ended && open === 0 && !over) stream.end()
    }
  }
  stream.events = {
    data: ({ bytes }) => {
      stream.grant(bytes.length)
      split(bytes)
    },
    end: () => {
      ended = true
      if (open === 0) stream.end()
    },
    reset: () => {
      over = true
    },
  }
}
