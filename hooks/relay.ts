// Program "relay", one a server: completes connections that hooked processes have in progress; see protocol/hook/relay.ts.
import { Socket } from 'node:net'
import { decode, type Endpoint } from '../protocol/codec.ts'
import { type FromRelay, type QuietPorts, type ToRelay, toRelay } from '../protocol/hook/relay.ts'
import { errnoName, exitAtOnce } from './linux/libc.ts'
import { completeFrom, openQuietPort } from './linux/quiet-port.ts'
import { Meetings } from './meetings.ts'

// A terminal's Ctrl-C is not for the relay: the server's end is its own.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => {})
process.on('disconnect', () => exitAtOnce(0))

const say = (message: FromRelay, socket?: Socket): void => {
  process.send?.(message, socket, { keepOpen: false }, () => {})
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
  if ('complete' in asked) complete(quiet, asked.complete, asked.from)
  else if ('take' in asked) hand(asked.take, meetings.take(asked.take))
  else {
    const name = meetings.open(asked.meet, asked.supervisor)
    say({ meeting: asked.meet, ...(typeof name === 'string' ? { name } : { errno: errnoName(name) }) })
  }
}

function complete(quiet: QuietPorts, id: number, from: Endpoint): void {
  const isSix = from.address.includes(':')
  const own = isSix ? { address: '::1', port: quiet.six ?? 0 } : { address: '127.0.0.1', port: quiet.four }
  hand(id, completeFrom(own, from))
}

function hand(id: number, socket: number): void {
  if (socket < 0) say({ completed: id, errno: errnoName(socket) })
  else say({ completed: id }, new Socket({ fd: socket, allowHalfOpen: true, pauseOnCreate: true } as never))
}
