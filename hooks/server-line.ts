// The supervisor's line to the server: newline-delimited JSON over an abstract Unix socket, each message checked.
import { connect, type Socket } from 'node:net'
import { decode } from '../protocol/codec.ts'
import { type FromSupervisor, type ToSupervisor, toSupervisor } from '../protocol/hook/messages.ts'

/** Longer than any start message with a large environment (Linux allows 2 MiB of it). */
const lineLimitBytes = 16 * 1024 * 1024

const closingMs = 1_000

export type ServerLine = {
  say(message: FromSupervisor): void
  /**
   * Calls back when the server has read everything and closed its end, or after 1 s. Not earlier: a server that happens to write to a
   * socket whose other end is gone loses with it what it had not read.
   */
  flush(then: () => void): void
}

export function openServerLine(
  name: string,
  on: { message: (message: ToSupervisor) => void; end: () => void; fault: (reason: string) => void },
): ServerLine {
  const socket: Socket = connect({ path: `\0${name}` })
  let ended = false
  const end = () => {
    if (ended) return
    ended = true
    on.end()
  }
  socket.setEncoding('utf8')
  socket.on('error', end)
  socket.on('close', end)
  socket.on('end', end)
  let pending = ''
  socket.on('data', (text: string) => {
    pending += text
    const lines = pending.split('\n')
    pending = lines.pop() ?? ''
    if (pending.length > lineLimitBytes) on.fault('a line is longer than 16 MiB')
    for (const line of lines) readLine(line, on)
  })
  return {
    say(message) {
      if (!ended) socket.write(`${JSON.stringify(message)}\n`)
    },
    flush(then) {
      if (ended) return then()
      ended = true
      setTimeout(then, closingMs)
      socket.once('close', then)
      socket.end()
    },
  }
}

function readLine(
  line: string,
  on: { message: (message: ToSupervisor) => void; fault: (reason: string) => void },
): void {
  const checked = decode(toSupervisor, parse(line))
  if (checked.ok) on.message(checked.value)
  else on.fault(checked.faults.join('; '))
}

/** Text that is no JSON fails the check of the message like any other wrong value. */
function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return line
  }
}
