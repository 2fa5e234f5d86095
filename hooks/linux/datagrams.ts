// Datagrams on our copies of a process's sockets: sendmsg(2), recvmsg(2), udp(7).
import { controlLengthAt, flagsAt, nameLengthAt, writeMessageHeader } from '../message-header.ts'
import { onePiece } from './far-memory.ts'
import { addressOf, declare } from './libc.ts'

const MSG_DONTWAIT = 0x40
const MSG_NOSIGNAL = 0x4000
/** UDP itself carries less. */
const datagramLimit = 65_536
const nameLimit = 128

const socketCall = declare<[number, number, number]>('int socket(int, int, int)')
const sendCall = declare<[number, Buffer, number]>('long sendmsg(int, void*, int)')
const receiveCall = declare<[number, Buffer, number]>('long recvmsg(int, void*, int)')

/** A socket of ours, or a negative errno. */
export const openSocket = (family: number, type: number, protocol: number): number =>
  socketCall(family, type, protocol)

export type Outgoing = { payload: Buffer; flags: number; name: Buffer | undefined; control: Buffer }

/** The number of bytes that were sent, or a negative errno; it never waits. */
export function sendDatagram(socket: number, { payload, flags, name, control }: Outgoing): number {
  const piece = onePiece(payload.length === 0 ? 0n : addressOf(payload), payload.length)
  const header = writeMessageHeader({
    name: name === undefined ? 0n : addressOf(name),
    nameLength: name?.length ?? 0,
    piece: addressOf(piece),
    control: control.length === 0 ? 0n : addressOf(control),
    controlLength: control.length,
  })
  const sent = sendCall(socket, header, flags | MSG_DONTWAIT | MSG_NOSIGNAL)
  // The pieces must live until the call is over.
  return piece.length === 0 ? 0 : sent
}

/** A whole datagram, whatever room for it the process has. */
export type Received = { payload: Buffer; name: Buffer; control: Buffer; flags: number }

const room = Buffer.alloc(datagramLimit)

/** Takes a datagram; a negative errno when there is none. */
export function receiveDatagram(
  socket: number,
  options: { flags: number; controlRoom: number },
): Received | number {
  const name = Buffer.alloc(nameLimit)
  const control = Buffer.alloc(options.controlRoom)
  const piece = onePiece(addressOf(room), room.length)
  const header = writeMessageHeader({
    name: addressOf(name),
    nameLength: nameLimit,
    piece: addressOf(piece),
    control: control.length === 0 ? 0n : addressOf(control),
    controlLength: control.length,
  })
  const result = receiveCall(socket, header, options.flags | MSG_DONTWAIT)
  if (result < 0 || piece.length === 0) return result
  return {
    payload: Buffer.from(room.subarray(0, Math.min(result, room.length))),
    name: name.subarray(0, Math.min(header.readUInt32LE(nameLengthAt), nameLimit)),
    control: control.subarray(0, Number(header.readBigUInt64LE(controlLengthAt))),
    flags: header.readInt32LE(flagsAt),
  }
}
