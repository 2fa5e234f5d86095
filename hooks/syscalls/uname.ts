// Answers uname: all is this machine's but the host name, which is the pod's (uname(2)).
import { readFileSync, readlinkSync } from 'node:fs'
import { declare } from '../linux/libc.ts'
import { writeMemory } from '../linux/memory.ts'
import { type Call, isAlive, threadOf } from '../linux/notification.ts'
import { give, leaveAlone, type Outcome, type World } from './world.ts'

// struct new_utsname: six strings of 65 bytes, of which the second is nodename
const fieldBytes = 65
const fields = 6

/** UNAME26, and PER_MASK, which is not 0 for a program of 32 bits (personality(2)). */
const otherAnswer = 0x0020000 | 0xff

const uname = declare<[Buffer]>('int uname(void*)')

export function answerUname(call: Call, world: World): Outcome {
  const { hostname } = world.names
  if (hostname === undefined) return leaveAlone('the host name is not part of the session')
  if (!isOrdinary(threadOf(call))) return leaveAlone('another host name or personality')
  const bytes = Buffer.alloc(fieldBytes * fields)
  const got = uname(bytes)
  if (got < 0) return give(got)
  bytes.fill(0, fieldBytes, 2 * fieldBytes)
  bytes.write(hostname, fieldBytes, fieldBytes - 1, 'utf8')
  if (!isAlive(world.listener, call)) return leaveAlone('the call is gone')
  return give(writeMemory(call, 0, bytes))
}

/** Neither in a UTS namespace of its own nor with a personality that asks for another answer. */
function isOrdinary(thread: number): boolean {
  try {
    if (readlinkSync(`/proc/${thread}/ns/uts`) !== readlinkSync('/proc/self/ns/uts')) return false
    const personality = Number.parseInt(readFileSync(`/proc/${thread}/personality`, 'latin1'), 16)
    return (personality & otherAnswer) === 0
  } catch {
    return false
  }
}
