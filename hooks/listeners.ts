// The listeners of the hooked processes, of which the server hears as soon as their port is wanted.
import type { FromSupervisor } from '../protocol/hook/messages.ts'
import { isWanted } from './shared/announcements.ts'
import { BoundedMap } from './shared/bounded-map.ts'
import type { Listener } from './syscalls/world.ts'

const listenerLimit = 4096

export function makeListeners(say: (message: FromSupervisor) => void) {
  const unsaid = new BoundedMap<bigint, Listener>(listenerLimit)
  const all = new BoundedMap<bigint, Listener>(listenerLimit)
  let wanted: SharedArrayBuffer | undefined

  function review(): void {
    for (const [cookie, { asked, actual }] of unsaid) {
      if (wanted === undefined || !isWanted(wanted, asked.port)) continue
      unsaid.delete(cookie)
      say({ type: 'listening', listener: cookie.toString(), asked, actual })
    }
  }

  return {
    watch(memory: SharedArrayBuffer) {
      wanted = memory
    },
    add(listener: Listener) {
      all.set(listener.cookie, listener)
      unsaid.set(listener.cookie, listener)
      review()
    },
    find: (cookie: bigint): Listener | undefined => all.get(cookie),
    /** Says those whose port has become wanted. */
    review,
  }
}
