// What a program prints, line by line, and waiting for one of its lines.

import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

export type Lines = {
  readonly all: readonly string[]
  /** The first line, past or to come, that matches; rejects after `withinMs` with what was awaited and the last lines. */
  until(what: string, matches: (line: string) => boolean, withinMs?: number): Promise<string>
  /** Resolves when `count` lines match. */
  untilCount(
    what: string,
    count: number,
    matches: (line: string) => boolean,
    withinMs?: number,
  ): Promise<void>
  /** Adds a line, for output that comes from elsewhere than a stream. */
  add(line: string): void
}

export function linesOf(stream?: Readable | null): Lines {
  const all: string[] = []
  const waiting = new Set<() => void>()
  const add = (line: string) => {
    all.push(line)
    for (const look of [...waiting]) look()
  }
  if (stream) createInterface({ input: stream }).on('line', add)

  function wait<T>(what: string, withinMs: number, found: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const value = found()
        if (value === undefined) return
        clearTimeout(timer)
        waiting.delete(look)
        resolve(value)
      }
      const timer = setTimeout(() => {
        waiting.delete(look)
        reject(
          new Error(
            `${what} did not come within ${withinMs} ms; the last lines: ${JSON.stringify(all.slice(-5))}`,
          ),
        )
      }, withinMs)
      waiting.add(look)
      look()
    })
  }

  return {
    all,
    add,
    until: (what, matches, withinMs = 15_000) => wait(what, withinMs, () => all.find(matches)),
    async untilCount(what, count, matches, withinMs = 15_000) {
      let seen = 0
      let looked = 0
      await wait(`${count} of ${what}`, withinMs, () => {
        for (; looked < all.length; looked++) if (matches(all[looked]!)) seen++
        return seen >= count ? true : undefined
      })
    },
  }
}
