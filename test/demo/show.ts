// Prints what happens in the demo's first stand-in as it happens: the command, what it says, and the requests that reach the second shop.
import { say } from './say.ts'
import type { Arrival, Listener } from './stand-in.ts'
import type { Town } from './town.ts'

const shownRequests = 12

/** Shows the first requests with their callers, then only counts them; `silent` shows nothing. */
export function arrivalPrinter(
  town: Pick<Town, 'nameOf'>,
  { silent, print = say }: { silent: boolean; print?: (text: string) => void },
): Listener & { close(): void } {
  let arrived = 0
  if (silent) return { started() {}, said() {}, arrived() {}, close() {} }
  return {
    started(command) {
      print('\nA second shop, version 2, runs on this machine and not in the pod, under standin:')
      print(`  $ ${command}`)
    },
    said: line => print(`  ${line}`),
    arrived(arrival) {
      if (++arrived === 1)
        print('\nThe second shop gets a copy of every request as it comes, and sees who really sent it:')
      if (arrived <= shownRequests) print(`  ${rowOf(arrival, town)}`)
    },
    close() {
      if (arrived > shownRequests) print(`  ... and ${arrived - shownRequests} more\n`)
    },
  }
}

function rowOf({ method, item, caller }: Arrival, town: Pick<Town, 'nameOf'>): string {
  const name = town.nameOf(caller.slice(0, caller.lastIndexOf(':')))
  return `${method} ${item.padEnd(12)} from ${caller.padEnd(18)} (${name})`
}
