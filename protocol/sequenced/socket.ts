// One Unix socket that keeps message boundaries: SOCK_SEQPACKET of unix(7), by recvmsg(2), send(2) and shutdown(2) that never wait.
import { constants } from 'node:os'
import { getSystemErrorName } from 'node:util'
import type { SequencedCalls } from './calls.ts'
import type { Readiness } from './readiness.ts'
import type { SequencedSocket } from './stream.ts'

const { EAGAIN, EMSGSIZE } = constants.errno
const SOL_SOCKET = 1
const SO_SNDBUF = 7
const SO_TIMESTAMP = 29
const SHUT_WR = 1
const MSG_PEEK = 2
const MSG_TRUNC = 0x20
const MSG_DONTWAIT = 0x40
const MSG_NOSIGNAL = 0x4000
const POLLIN = 1
const POLLOUT = 4
/** struct cmsghdr with a struct timeval. */
const timestampBytes = 32

/** Takes the descriptor over. */
export function openSequenced(socket: number, readiness: Readiness, calls: SequencedCalls): SequencedSocket {
  // An empty message comes with a time, and the end without one.
  setOption(socket, SO_TIMESTAMP, 1, calls)
  return {
    receive: () => receive(socket, calls),
    send: message => send(socket, message, calls),
    endSending: () => void checked(calls.shutdown(socket, SHUT_WR)),
    wait: (direction, ready) =>
      readiness.wait({ descriptor: socket, events: direction === 'send' ? POLLOUT : POLLIN, ready }),
    close: () => readiness.close(socket),
  }
}

function receive(socket: number, calls: SequencedCalls): Buffer | 'later' | 'end' {
  const flags = MSG_DONTWAIT | MSG_TRUNC
  const length = calls.recv(socket, Buffer.alloc(1), 0, flags | MSG_PEEK)
  if (length === -EAGAIN) return 'later'
  const message = Buffer.allocUnsafe(checked(length))
  const control = Buffer.alloc(timestampBytes)
  const { header, piece } = headerFor(message, control, calls)
  checked(calls.recvmsg(socket, header, flags))
  return piece.length > 0 && header.readBigUInt64LE(40) > 0n ? message : 'end'
}

// struct msghdr, 56 bytes: pointer to one struct iovec at 16, their u64 number at 24, pointer to control data at 32, its u64 length at 40
// struct iovec, 16 bytes: pointer, u64 length
function headerFor(message: Buffer, control: Buffer, { addressOf }: SequencedCalls) {
  const piece = Buffer.alloc(16)
  if (message.length > 0) piece.writeBigUInt64LE(addressOf(message), 0)
  piece.writeBigUInt64LE(BigInt(message.length), 8)
  const header = Buffer.alloc(56)
  header.writeBigUInt64LE(addressOf(piece), 16)
  header.writeBigUInt64LE(1n, 24)
  header.writeBigUInt64LE(addressOf(control), 32)
  header.writeBigUInt64LE(BigInt(control.length), 40)
  return { header, piece }
}

function send(socket: number, message: Buffer, calls: SequencedCalls): boolean {
  const flags = MSG_DONTWAIT | MSG_NOSIGNAL
  const sendNow = () => calls.send(socket, message, message.length, flags)
  const sent = sendNow()
  if (sent !== -EMSGSIZE) return sent !== -EAGAIN && checked(sent) >= 0
  // Its sender has made itself more room; here is as much of it as the kernel allows.
  setOption(socket, SO_SNDBUF, message.length, calls)
  const again = sendNow()
  return again !== -EAGAIN && checked(again) >= 0
}

function setOption(socket: number, which: number, value: number, calls: SequencedCalls): void {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  checked(calls.setsockopt(socket, SOL_SOCKET, which, bytes, bytes.length))
}

function checked(result: number): number {
  if (result >= 0) return result
  const code = getSystemErrorName(result)
  throw Object.assign(new Error(`Cannot pass a message on: ${code}`), { code })
}
