// Answers listen: does it on the process's own socket, and tells the server who listens where.
import { readAddress } from '../address.ts'
import { type Call, intArgument, isAlive } from '../linux/notification.ts'
import {
  cookieOf,
  inodeOf,
  listen,
  namespaceOf,
  sharesPort,
  socketName,
  streamFamily,
} from '../linux/sockets.ts'
import { shownBinding } from './names.ts'
import { withCopy } from './with-copy.ts'
import { give, type Listener, leaveAlone, type Outcome, type World } from './world.ts'

export const answerListen = (call: Call, world: World): Outcome =>
  withCopy(call, world, copy => {
    const family = streamFamily(copy)
    if (family === undefined) return leaveAlone('not a TCP socket')
    if (namespaceOf(copy) !== world.namespace) return leaveAlone('in another network namespace')
    if (!isAlive(world.listener, call)) return leaveAlone('the call is gone')
    const result = listen(copy, intArgument(call, 1))
    if (result === 0) registerListener(copy, family, world, { inherited: false })
    return give(result)
  })

/** Remembers a listening socket and reports it; undefined when its address cannot be read. */
export function registerListener(
  copy: number,
  family: number,
  world: World,
  { inherited }: { inherited: boolean },
): Listener | undefined {
  const cookie = cookieOf(copy)
  const name = socketName(copy)
  const actual = typeof name === 'number' ? undefined : readAddress(name)
  if (cookie === undefined || actual === undefined) return undefined
  const binding = world.bindings.get(cookie)
  const asked = binding === undefined ? actual : shownBinding({ asked: binding.asked, actual })
  const listener = {
    cookie,
    inode: inodeOf(copy),
    family,
    asked,
    actual,
    sharesPort: sharesPort(copy),
    inherited,
  }
  world.listeners.set(cookie, listener)
  world.listenedPorts.add(actual.port)
  world.listening(listener)
  return listener
}
