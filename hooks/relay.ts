// Program "relay", one a server: completes connections that hooked processes have in progress; see protocol/hook/relay.ts.
import { Socket } from 'node:net'
import { decode } from '../protocol/codec.ts'
import { type FromRelay, type QuietPorts, toRelay } from '../protocol/hook/relay.ts'
import { errnoName, exitAtOnce } from './linux/libc.ts'
import { completeFrom, openQuietPort } from './linux/quiet-port.ts'

// A terminal's Ctrl-C is not for the relay: the server's end is its own.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => {})
process.on('disconnect', () => exitAtOnce(0))

const say = (message: FromRelay, socket?: Socket): void => {
  process.send?.(message, socket, { keepOpen: false }, () => {})
}

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
    if (checked.ok) complete(quiet, checked.value.complete, checked.value.from)
  })
  say({ quiet })
}

function complete(quiet: QuietPorts, id: number, from: { address: string; port: number }): void {
  const isSix = from.address.includes(':')
  const own = isSix ? { address: '::1', port: quiet.six ?? 0 } : { address: '127.0.0.1', port: quiet.four }
  const socket = completeFrom(own, from)
  if (socket < 0) say({ completed: id, errno: errnoName(socket) })
  else say({ completed: id }, new Socket({ fd: socket, allowHalfOpen: true, pauseOnCreate: true } as never))
}
