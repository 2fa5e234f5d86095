// Answers socket for UDP, and dup and fcntl that copy such a socket: its descriptors have numbers in the window, by which the filter knows them.
import { lstatSync, readlinkSync } from 'node:fs'
import { openSocket } from '../../linux/datagrams.ts'
import { close } from '../../linux/libc.ts'
import { softLimit } from '../../linux/limits.ts'
import { type Call, intArgument, sendDescriptor, threadOf } from '../../linux/notification.ts'
import { readProc } from '../../linux/processes.ts'
import { datagramFamily } from '../../linux/sockets.ts'
import { confineToLoopback } from '../../linux/unicast-interface.ts'
import { clearOf, numbersOf, type Range } from '../../shared/window.ts'
import { withCopy } from '../with-copy.ts'
import { done, give, leaveAlone, type Outcome, type World } from '../world.ts'

const ENOENT = 2
const EBADF = 9
const EINVAL = 22
const EMFILE = 24
const IPPROTO_UDP = 17
const SOCK_CLOEXEC = 0x80000
const O_CLOEXEC = 0x80000
const F_DUPFD_CLOEXEC = 1030

/** Made here in the process's place: of its network namespace, and with its flags. What is not seen of it goes nowhere. */
export function answerSocket(call: Call, world: World): Outcome {
  if (!world.outgoingRules?.udp) return leaveAlone('datagrams are not part of the session')
  const [family, type, protocol] = [intArgument(call, 0), intArgument(call, 1), intArgument(call, 2)]
  if (protocol !== 0 && protocol !== IPPROTO_UDP) return leaveAlone('not a UDP socket')
  if (!isOurNetwork(threadOf(call))) return leaveAlone('in another network namespace')
  const made = openSocket(family, type | SOCK_CLOEXEC, protocol)
  if (made < 0) return give(made)
  try {
    const confined = confineToLoopback(made, family)
    if (confined < 0) return give(confined)
    return place(call, made, (type & SOCK_CLOEXEC) !== 0, 0, world)
  } finally {
    close(made)
  }
}

export function answerDup(call: Call, name: 'dup' | 'fcntl', world: World): Outcome {
  if (!world.outgoingRules?.udp) return leaveAlone('datagrams are not part of the session')
  return withCopy(call, world, copy => {
    if (datagramFamily(copy) === undefined) return leaveAlone('not a UDP socket')
    const closes = name === 'fcntl' && intArgument(call, 1) === F_DUPFD_CLOEXEC
    // What the kernel takes for an unsigned number.
    const least = name === 'fcntl' ? intArgument(call, 2) >>> 0 : 0
    if (name === 'fcntl' && least >= limitOf(threadOf(call))) return give(-EINVAL)
    return place(call, copy, closes, least, world)
  })
}

const limitOf = (thread: number): number =>
  Number(softLimit(readProc(thread, 'limits')) ?? Number.POSITIVE_INFINITY)

let turns = 0

/** For a process that forbids to be looked into: each socket gets another number, so that none takes the place of one before. */
function* numbersInTurn(window: readonly Range[], least: number): Generator<number> {
  const all = [...numbersOf(window, least)]
  for (let index = 0; index < all.length; index++) yield all[turns++ % all.length]!
}

function mayBeRead(thread: number): boolean {
  try {
    lstatSync(`/proc/${thread}/fd/0`, { throwIfNoEntry: false })
    return true
  } catch {
    return false
  }
}

/** A process that may not be looked into is of ours, as its parents are. */
function isOurNetwork(thread: number): boolean {
  try {
    return readlinkSync(`/proc/${thread}/ns/net`) === readlinkSync('/proc/self/ns/net')
  } catch {
    return true
  }
}

/** Without a number in the window the call is refused: sendmsg of another one would not be seen, and would send from this machine. */
function place(call: Call, socket: number, closesOnExec: boolean, least: number, world: World): Outcome {
  const thread = threadOf(call)
  const isReadable = mayBeRead(thread)
  const window = clearOf(world.window, number => isReadable && isTaken(thread, number))
  let limit = Number.POSITIVE_INFINITY
  for (const number of isReadable ? numbersOf(window, least) : numbersInTurn(window, least)) {
    if (number >= limit || (isReadable && isTaken(thread, number))) continue
    const sent = sendDescriptor(world.listener, call, socket, closesOnExec ? O_CLOEXEC : 0, number)
    if (sent >= 0 || sent === -ENOENT) return done
    // Past the process's limit: of the numbers that it may raise it to, or lower than it was at its start.
    if (sent !== -EBADF && sent !== -EMFILE) return give(sent)
    limit = Math.min(number, limitOf(thread))
  }
  world.notice({
    level: 'warning',
    code: 'no-number-for-datagrams',
    text: `A process (thread ${thread}) got no UDP socket (EMFILE), because it has too many open files, or a limit of them ("ulimit -n") under ${world.window[0]!.to}`,
  })
  return give(-EMFILE)
}

function isTaken(thread: number, number: number): boolean {
  return lstatSync(`/proc/${thread}/fd/${number}`, { throwIfNoEntry: false }) !== undefined
}
