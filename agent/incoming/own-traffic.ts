// A mirror in a network namespace that passes on what is for others, as a node's does: it takes only what is for the namespace itself.
import { log } from '../log.ts'
import type { Mirror } from './mirror.ts'
import type { Subscription } from './subscription.ts'

/** Addresses come and go on a node, if seldom: one that moves over from a node that failed. */
const lookMs = 5_000

/** `read` gives the namespace's own addresses. */
export function ownTraffic(mirror: Mirror, read: () => readonly string[]): Mirror {
  let wanted: Subscription | undefined
  let localTo: readonly string[] = []
  const apply = (subscription: Subscription) => {
    wanted = subscription
    localTo = read()
    return mirror.subscribe({ ...subscription, localTo })
  }
  const look = () => {
    if (wanted === undefined || wanted.ports.length === 0 || read().join() === localTo.join()) return
    apply(wanted).catch(error => log(`the capture could not follow the addresses: ${String(error)}`))
  }
  const timer = setInterval(look, lookMs)
  timer.unref()
  return {
    subscribe: apply,
    counters: () => mirror.counters(),
    close: () => {
      clearInterval(timer)
      return mirror.close()
    },
  }
}
