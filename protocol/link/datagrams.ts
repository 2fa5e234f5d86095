// Datagrams inside of the bytes of a stream that was opened with `dial: 'udp'`: to whom or from whom each is, and what the network said of one.
//
//   0      1         2      4        6
//   +------+---------+------+--------+---------+---------
//   | kind | address | port | length | address | payload
//   +------+---------+------+--------+---------+---------
//     u8     u8: n     u16    u16      n bytes   length bytes
//
// Numbers are big-endian; the address is text ("198.51.100.7", "fd00::1"). A datagram (kind 1) is to that endpoint when the server says it, and
// from it when the agent does. An error (kind 2) comes from the agent alone: what a datagram to that endpoint met, and its payload is the errno's
// name, such as ECONNREFUSED.
import type { Endpoint } from '../codec.ts'
import { Failure } from '../errors.ts'

const kinds = { datagram: 1, error: 2 } as const
const headBytes = 6
/** The most that one datagram of UDP over IPv4 carries. */
export const maxDatagramBytes = 65_507
/** "0000:...:0000" with a scope's name (IFNAMSIZ) is the longest text. */
const maxAddressBytes = 64

export type Datagram = { kind: keyof typeof kinds; peer: Endpoint; payload: Buffer }

export const encodeDatagram = (peer: Endpoint, payload: Buffer): Buffer => encode('datagram', peer, payload)
export const encodeDatagramError = (peer: Endpoint, errno: string): Buffer =>
  encode('error', peer, Buffer.from(errno))

function encode(kind: keyof typeof kinds, { address, port }: Endpoint, payload: Buffer): Buffer {
  const text = Buffer.from(address)
  const head = Buffer.allocUnsafe(headBytes)
  head.writeUInt8(kinds[kind], 0)
  head.writeUInt8(text.length, 1)
  head.writeUInt16BE(port, 2)
  head.writeUInt16BE(payload.length, 4)
  return Buffer.concat([head, text, payload])
}

/** Takes the bytes of a stream in any pieces. */
export class DatagramReader {
  #pending: Buffer = Buffer.alloc(0)

  /** The datagrams that are whole by this time, whose payloads share the memory of `bytes`. Throws `frame-invalid`. */
  read(bytes: Buffer): Datagram[] {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes])
    const found: Datagram[] = []
    for (;;) {
      const pending = this.#pending
      if (pending.length < headBytes) return found
      const kind = kindOf(pending[0]!)
      const payloadAt = headBytes + addressLength(pending[1]!)
      const end = payloadAt + pending.readUInt16BE(4)
      if (pending.length < end) return found
      const peer = {
        address: pending.toString('latin1', headBytes, payloadAt),
        port: pending.readUInt16BE(2),
      }
      found.push({ kind, peer, payload: pending.subarray(payloadAt, end) })
      this.#pending = pending.subarray(end)
    }
  }
}

function kindOf(byte: number): keyof typeof kinds {
  if (byte === kinds.datagram) return 'datagram'
  if (byte === kinds.error) return 'error'
  throw new Failure('frame-invalid', { reason: `a datagram of kind ${byte}` })
}

function addressLength(length: number): number {
  if (length >= 2 && length <= maxAddressBytes) return length
  throw new Failure('frame-invalid', { reason: `a datagram with an address of ${length} bytes` })
}
