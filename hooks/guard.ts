// Program "guard", one a server: holds the notification descriptors of its supervisors, and answers or ends their processes when they cannot.
import { randomBytes } from 'node:crypto'
import { readSync, writeSync } from 'node:fs'
import type { TypeOf } from 'io-ts'
import { decode } from '../protocol/codec.ts'
import { guardRegistration } from '../protocol/hook/guard.ts'
import { UnixStreams } from '../protocol/outgoing/unix-streams.ts'
import { type Ward, Wards } from './guard/wards.ts'
import { close, errnoName, exitAtOnce } from './linux/libc.ts'
import { POLLIN, poll, type Watched } from './linux/sockets.ts'
import { acceptAbstract, listenAbstract, peerOf, receiveWithDescriptors } from './linux/unix-sockets.ts'

// The loop below never returns to Node's, so that these handlers only keep the signals from ending us: a terminal's Ctrl-C is not for the guard.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGPIPE'] as const)
  process.on(signal, () => undefined)

const token = readToken()
const name = `standin-guard-${process.pid}-${randomBytes(8).toString('hex')}`
const listener = listenAbstract(name)
if (listener < 0) {
  writeSync(2, `standin: Cannot start guard: ${errnoName(listener)}\n`)
  exitAtOnce(1)
}
writeSync(1, `${JSON.stringify({ listening: name })}\n`)
guard()

function guard(): never {
  const wards = new Wards()
  /** Connections that have not registered yet. */
  const strangers = new Set<number>()
  let serverLives = true
  while (serverLives || wards.size > 0) {
    const own: Watched[] = [
      { descriptor: serverLives ? 0 : -1, events: POLLIN },
      { descriptor: listener, events: POLLIN },
    ]
    const waiting = [...strangers].map(descriptor => ({ descriptor, events: POLLIN }))
    const [input, knock, ...rest] = poll([...own, ...waiting, ...wards.watched()], wards.patienceMs)
    wards.serve(rest.slice(waiting.length))
    wards.endOrphans()
    for (const [index, { descriptor }] of waiting.entries()) {
      if (rest[index] === 0) continue
      strangers.delete(descriptor)
      const ward = register(descriptor)
      if (ward === undefined) close(descriptor)
      else wards.add(ward)
    }
    if ((knock ?? 0) !== 0) welcome(strangers)
    if ((input ?? 0) !== 0 && isOver()) {
      serverLives = false
      wards.serverDied()
    }
  }
  exitAtOnce(0)
}

/** Only this user's processes get as far as the token. */
function welcome(strangers: Set<number>): void {
  const connection = acceptAbstract(listener)
  if (connection < 0) return
  if (peerOf(connection).user === process.getuid?.()) strangers.add(connection)
  else close(connection)
}

function register(connection: number): Ward | undefined {
  const received = receiveWithDescriptors(connection)
  if (typeof received === 'number') return undefined
  const { payload, descriptors } = received
  const registration = readRegistration(payload)
  const [notifications, ledger] = descriptors
  if (registration !== undefined && notifications !== undefined && ledger !== undefined)
    return {
      connection,
      notifications,
      ledger,
      process: registration.process,
      outgoing: registration.outgoing,
      datagrams: registration.datagrams,
      unix: registration.unix === undefined ? undefined : new UnixStreams(registration.unix),
    }
  for (const descriptor of descriptors) close(descriptor)
  return undefined
}

type Registration = TypeOf<typeof guardRegistration>

function readRegistration(payload: Buffer): Registration | undefined {
  try {
    const checked = decode(guardRegistration, JSON.parse(payload.toString('utf8')))
    return checked.ok && checked.value.token === token ? checked.value : undefined
  } catch {
    return undefined
  }
}

/** The server's first line; everything after it only says, by its end, that the server is gone. */
function readToken(): string {
  let text = ''
  const piece = Buffer.alloc(4096)
  while (!text.includes('\n')) {
    const got = readSync(0, piece)
    if (got === 0) exitAtOnce(1)
    text += piece.toString('utf8', 0, got)
  }
  const value: unknown = JSON.parse(text.slice(0, text.indexOf('\n')))
  return String((value as { token?: unknown }).token)
}

function isOver(): boolean {
  try {
    return readSync(0, Buffer.alloc(4096)) === 0
  } catch {
    return true
  }
}
