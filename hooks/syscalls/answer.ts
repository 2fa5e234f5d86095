// Decides one trapped call and answers it; whatever goes wrong, the call is left to the kernel if it is this machine's, and refused if it may be the pod's.
import {
  architectureOf,
  type Call,
  CannotAnswer,
  mustAnswer,
  numberOf,
  sendContinue,
  sendResult,
  threadOf,
} from '../linux/notification.ts'
import { type Accepting, answerAccept } from './accept.ts'
import { answerBind, forgetBind } from './bind.ts'
import { answerConnect } from './connect.ts'
import { shapeOf } from './datagrams/messages.ts'
import { answerReceive, type Receiving } from './datagrams/receive.ts'
import { answerSend } from './datagrams/send.ts'
import { answerDup, answerSocket } from './datagrams/socket.ts'
import { answerListen } from './listen.ts'
import { mayBePods } from './may-be-pods.ts'
import { answerGetpeername, answerGetsockname } from './names.ts'
import { answerOpen } from './open.ts'
import { answerRename } from './rename.ts'
import { answerSocketError } from './socket-error.ts'
import { type Architecture, nameCall } from './table.ts'
import { answerUname } from './uname.ts'
import { give, leaveAlone, type Outcome, type World } from './world.ts'

const ENOENT = 2
const ENETUNREACH = 101

export type Context = {
  readonly architecture: Architecture
  readonly accepting: Accepting
  readonly receiving: Receiving
  /** Our own thread that carries the filter: its calls are never the session's. */
  readonly filteredThread: number
}

export function answerCall(call: Call, context: Context): void {
  const { world } = context.accepting
  const outcome = decide(call, context)
  if (outcome.kind === 'continue') mustAnswer(sendContinue(world.listener, call))
  if (outcome.kind === 'result' && sendResult(world.listener, call, outcome.result) === -ENOENT)
    outcome.lost?.()
}

/** Says that standin is wrong somewhere; the user's program goes on without it. */
export function reportMistake(world: World, thrown: unknown): void {
  try {
    world.notice({
      level: 'warning',
      code: 'hook-mistake',
      text: `A system call was left alone because of a mistake in standin: ${thrown instanceof Error ? thrown.stack : thrown}`,
    })
  } catch {
    // Whoever reads notices is gone; the calls matter more.
  }
}

export function decide(call: Call, context: Context): Outcome {
  if (threadOf(call) === context.filteredThread) return leaveAlone('a call of standin itself')
  try {
    return dispatch(call, context)
  } catch (thrown) {
    if (thrown instanceof CannotAnswer) throw thrown
    const { world } = context.accepting
    reportMistake(world, thrown)
    const { tcp = false, udp = false } = world.outgoingRules ?? {}
    const of = { internet: tcp || udp, datagrams: udp, unix: world.unixStreams }
    return mayBePods(call, of) ? give(-ENETUNREACH) : leaveAlone('a mistake here')
  }
}

function dispatch(call: Call, { architecture, accepting, receiving }: Context): Outcome {
  const { world, waiting, kept } = accepting
  const name = nameCall(architecture, architectureOf(call), numberOf(call))
  if (name === 'open' || name === 'openat' || name === 'openat2' || name === 'creat')
    return answerOpen(call, name, world)
  if (name === 'rename' || name === 'renameat' || name === 'renameat2') return answerRename(call, name, world)
  if (name !== 'bind') forgetBind(call, world)
  switch (name) {
    case 'bind':
      // A held accept or receive of a process that has just died, or closed its socket after a signal, must not keep its port busy.
      waiting.sweep()
      receiving.waiting.sweep()
      kept.sweep()
      return answerBind(call, world)
    case 'connect':
      return answerConnect(call, world)
    case 'getsockopt':
      return answerSocketError(call, world)
    case 'listen':
      return answerListen(call, world)
    case 'accept':
    case 'accept4':
      return answerAccept(call, accepting)
    case 'uname':
      return answerUname(call, world)
    case 'socket':
      return answerSocket(call, world)
    case 'dup':
    case 'fcntl':
      return answerDup(call, name, world)
    case 'sendto':
    case 'sendmsg':
    case 'sendmmsg':
      return answerSend(call, shapeOf(name), world)
    case 'recvfrom':
    case 'recvmsg':
    case 'recvmmsg':
      return answerReceive(call, receiving)
    case 'getsockname':
      return answerGetsockname(call, world)
    case 'getpeername':
      return answerGetpeername(call, world)
    default:
      return warnOfForeign(world)
  }
}

function warnOfForeign(world: World): Outcome {
  world.notice({
    level: 'warning',
    code: '32-bit-program',
    text: 'A 32-bit program runs as if it were not in the session: only 64-bit programs can be hooked',
  })
  return leaveAlone('a 32-bit program')
}
