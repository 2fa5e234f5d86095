// Records of a program, a line each, as they come, and waiting until those that came are enough.
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

export type Records<T> = {
  readonly all: readonly T[]
  /** Resolves when `enough` holds, which is asked again at each record; rejects after `withinMs` with what was awaited. */
  until(what: string, enough: () => boolean, withinMs?: number): Promise<void>
}

/** `each` is called with every record as it comes; `read` makes one of a line. */
export function recordsOf<T>(
  stream: Readable,
  each: (record: T) => void = () => {},
  read: (line: string) => T = line => JSON.parse(line),
): Records<T> {
  const all: T[] = []
  const looks = new Set<() => void>()
  createInterface({ input: stream }).on('line', line => {
    const record = read(line)
    all.push(record)
    each(record)
    for (const look of [...looks]) look()
  })
  return {
    all,
    until: (what, enough, withinMs = 60_000) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (enough()) settle(resolve)
        }
        const timer = setTimeout(
          () => settle(() => reject(new Error(`${what} did not come within ${withinMs} ms`))),
          withinMs,
        )
        const settle = (end: () => void) => {
          clearTimeout(timer)
          looks.delete(look)
          end()
        }
        looks.add(look)
        look()
      }),
  }
}
