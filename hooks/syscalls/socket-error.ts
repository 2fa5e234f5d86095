// Answers getsockopt(SO_ERROR): a connection that the pod could not make failed with the pod's errno, which the kernel here does not know.
import { writeMemory } from '../linux/memory.ts'
import { type Call, isAlive } from '../linux/notification.ts'
import { cookieOf, takeError } from '../linux/sockets.ts'
import { withCopy } from './with-copy.ts'
import { give, leaveAlone, type Outcome, type World } from './world.ts'

const EFAULT = 14

/** `getsockopt(socket, level, option, value, length)`: an int and its size. */
export function answerSocketError(call: Call, world: World): Outcome {
  if (world.outgoing.size === 0) return leaveAlone('no connection of the pod')
  return withCopy(call, world, copy => {
    const cookie = cookieOf(copy)
    const known = cookie === undefined ? undefined : world.outgoing.get(cookie)
    if (cookie === undefined || known?.errno === undefined) return leaveAlone('its own error')
    if (!isAlive(world.listener, call)) return leaveAlone('the call is gone')
    const [value, length] = [Buffer.alloc(4), Buffer.alloc(4)]
    value.writeInt32LE(known.errno, 0)
    length.writeUInt32LE(4, 0)
    if (writeMemory(call, 3, value) < 0 || writeMemory(call, 4, length) < 0) return give(-EFAULT)
    takeError(copy)
    world.outgoing.delete(cookie)
    // A signal may have ended the call: made again, it asks for the same.
    return give(0, () => world.outgoing.set(cookie, known))
  })
}
