// Sends the datagrams of a call once: a call that a signal ended after they were sent is made again, and is told what it gave.
import { type Call, notificationBytes, threadOf } from '../../linux/notification.ts'
import { give, type Outcome, type World } from '../world.ts'
import { payloadOf, readMessages, type Shape } from './messages.ts'
import type { LostSend } from './sockets.ts'

/** A restarted call comes when the handlers of the signal have run; what comes later is another one of the same words. */
const restartMs = 1000
/** Behind the id and the thread: number, architecture, instruction pointer and arguments. */
const wordsAt = 16

/** `send` lists the payloads that it has sent, and gives what the call gives. */
export function sendOnce(call: Call, shape: Shape, world: World, send: (sent: Buffer[]) => number): Outcome {
  const before = takeLost(call, shape, world)
  if (before !== undefined) return giveSent(call, before, world)
  const sent: Buffer[] = []
  const result = send(sent)
  return result < 0 ? give(result) : giveSent(call, { sent, result }, world)
}

function giveSent(call: Call, { sent, result }: Pick<LostSend, 'sent' | 'result'>, world: World): Outcome {
  return give(result, () => {
    const words = Buffer.from(call.subarray(wordsAt, notificationBytes))
    world.datagrams.lost.set(threadOf(call), { words, sent, result, atMs: performance.now() })
  })
}

/** What the call has given before, if it is the one that was ended: with the same arguments, and the same payloads. */
function takeLost(call: Call, shape: Shape, { datagrams }: World): LostSend | undefined {
  const lost = datagrams.lost.get(threadOf(call))
  if (lost === undefined || !lost.words.equals(call.subarray(wordsAt, notificationBytes))) return undefined
  datagrams.lost.delete(threadOf(call))
  if (performance.now() - lost.atMs > restartMs) return undefined
  const messages = readMessages(call, shape)
  if (typeof messages === 'number') return undefined
  const isSame = lost.sent.every((payload, index) => {
    const message = messages[index]
    const again = message === undefined ? undefined : payloadOf(call, shape, message)
    return Buffer.isBuffer(again) && again.equals(payload)
  })
  return isSame ? lost : undefined
}
