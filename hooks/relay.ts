// Program "relay", one a server: makes the ends of connections that hooked processes have in progress; see protocol/hook/relay.ts.
import type { SendHandle } from 'node:child_process'
import { Socket } from 'node:net'
import { decode } from '../protocol/codec.ts'
import { type FromRelay, type QuietPorts, type ToRelay, toRelay } from '../protocol/hook/relay.ts'
import { errnoName, exitAtOnce } from './linux/libc.ts'
import { openEnd, openQuietPort } from './linux/quiet-port.ts'
import { Meetings } from './meetings.ts'
import { carryMessages } from './messages.ts'

// A terminal's Ctrl-C is not for the relay: the server's end is its own.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => {})
process.on('disconnect', () => exitAtOnce(0))

const say = (message: FromRelay, handle?: SendHandle, sent: () => void = () => {}): void => {
  process.send?.(message, handle, {}, sent)
}

const meetings = new Meetings()
const four = openQuietPort('127.0.0.1')
const six = openQuietPort('::1')
if (four < 0) {
  say({ failed: errnoName(four) })
  process.exitCode = 1
  process.disconnect()
} else {
  const quiet: QuietPorts = { four, ...(six > 0 ? { six } : {}) }
  process.on('message', value => {
    const checked = decode(toRelay, value)
    if (checked.ok) answer(quiet, checked.value)
  })
  say({ quiet })
}

function answer(quiet: QuietPorts, asked: ToRelay): void {
  if ('open' in asked) open(quiet, asked.open, asked.at)
  else if ('take' in asked) take(asked.take)
  else {
    const { supervisor, seqpacket = false } = asked
    const name = meetings.open(asked.meet, { supervisor, seqpacket })
    say({ meeting: asked.meet, ...(typeof name === 'string' ? { name } : { errno: errnoName(name) }) })
  }
}

function open(quiet: QuietPorts, id: number, at: 'four' | 'six'): void {
  const own =
    at === 'six' ? { address: '::1', port: quiet.six ?? 0 } : { address: '127.0.0.1', port: quiet.four }
  hand(id, openEnd(own))
}

function take(id: number): void {
  const met = meetings.take(id)
  if (typeof met === 'number') hand(id, met)
  else hand(id, met.seqpacket ? carryMessages(met.connection) : met.connection)
}

/** The socket's handle alone: a socket of Node would begin to read, which one that is not connected cannot. */
function hand(id: number, descriptor: number): void {
  if (descriptor < 0) {
    say({ socket: id, errno: errnoName(descriptor) })
    return
  }
  const socket = new Socket({ fd: descriptor, allowHalfOpen: true, pauseOnCreate: true } as never)
  say({ socket: id }, (socket as unknown as { _handle: SendHandle })._handle, () => socket.destroy())
}
