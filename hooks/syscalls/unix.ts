// Answers connect of a Unix socket to what the configuration says is the pod's: it waits until the pod has connected, and of datagrams none is made.
import { type Call, idOf, intArgument, threadOf } from '../linux/notification.ts'
import { cookieOf, inodeOf, isNonBlocking, namespaceOf, sendTimeoutMs, unixTypeOf } from '../linux/sockets.ts'
import { nameFor, shownUnix } from '../unix-address.ts'
import { withCopy } from './with-copy.ts'
import { done, give, leaveAlone, type Outcome, type World } from './world.ts'

const ESRCH = 3
const EBADF = 9
const ENETUNREACH = 101
const ECONNREFUSED = 111
const SOCK_STREAM = 1
const SOCK_SEQPACKET = 5

type Facts = { type: number | undefined; isExact: boolean; isOwnNamespace: boolean }

/** `refuse` says why, the end of a sentence. */
export type UnixDecision = 'leave' | 'dial' | { refuse: string }

/** What is done for a socket whose address is the pod's: nothing else may be reached by it. */
export function decideUnix({ type, isExact, isOwnNamespace }: Facts): UnixDecision {
  if (type === undefined) return 'leave'
  if (type !== SOCK_STREAM && type !== SOCK_SEQPACKET)
    return { refuse: 'datagram sockets do not reach the pod' }
  if (!isExact) return { refuse: 'its name is no UTF-8' }
  if (!isOwnNamespace) return { refuse: 'its socket is of another network namespace' }
  return 'dial'
}

/** Undefined when the address is not the pod's. */
export function answerUnixConnect(call: Call, bytes: Buffer, world: World): Outcome | undefined {
  if (world.unixStreams === undefined) return undefined
  const named = nameFor(threadOf(call), bytes)
  const rule = named === undefined ? undefined : world.unixStreams.ruleFor(named.name)
  if (named === undefined || rule === undefined) return undefined
  return withCopy(
    call,
    world,
    copy => {
      const cookie = cookieOf(copy)
      if (cookie === undefined) return leaveAlone('not a socket')
      const facts = { type: unixTypeOf(copy), isExact: named.isExact }
      const decision = decideUnix({ ...facts, isOwnNamespace: namespaceOf(copy) === world.namespace })
      if (decision === 'leave') return leaveAlone('an address of another family')
      if (decision !== 'dial') return refuse(named.name, decision.refuse, world)
      if (!world.hold(idOf(call), { refused: true })) return give(-ENETUNREACH)
      world.tell({
        type: 'unixConnecting',
        connecting: {
          ...{
            cookie,
            inode: inodeOf(copy),
            path: named.name,
            rule,
            shown: shownUnix(bytes),
            id: idOf(call),
          },
          place: { thread: threadOf(call), descriptor: intArgument(call, 0) },
          ...{ isBlocking: !isNonBlocking(copy), timeoutMs: sendTimeoutMs(copy) },
          seqpacket: facts.type === SOCK_SEQPACKET,
        },
      })
      return done
    },
    errno =>
      errno === -EBADF || errno === -ESRCH ? leaveAlone('no copy of the descriptor') : give(-ENETUNREACH),
  )
}

function refuse(name: string, why: string, world: World): Outcome {
  world.notice({
    level: 'warning',
    code: 'unix-socket-refused',
    text: `A connection to the Unix socket ${JSON.stringify(name)}, which feature.network.outgoing.unix_streams gives to the pod, was refused: ${why}`,
  })
  return give(-ECONNREFUSED)
}
