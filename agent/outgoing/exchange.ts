// Asks a nameserver one question from the pod's network: by UDP as resolvers do, and by TCP when the answer is too long for that (RFC 1035, RFC 7766).
import { createSocket } from 'node:dgram'
import { connect, isIPv6 } from 'node:net'
import type { Endpoint } from '../../protocol/codec.ts'
import { splitMessages, withLength } from '../../protocol/names/messages.ts'

/** A datagram that is lost is sent again so long after the first. */
const againAfterMs = [1_000, 3_000, 7_000] as const
const truncatedBit = 0x02

/** Rejects with the errno as `code`: ECONNREFUSED when nobody serves there, ETIMEDOUT when no answer came in time. */
export async function exchange(query: Buffer, server: Endpoint, withinMs: number): Promise<Buffer> {
  let short: Buffer
  try {
    short = await byDatagram(query, server, withinMs)
  } catch (refused) {
    if ((refused as NodeJS.ErrnoException).code === 'ETIMEDOUT') throw refused
    return byConnection(query, server, withinMs).catch(() => {
      throw refused
    })
  }
  if ((short.readUInt8(2) & truncatedBit) === 0) return short
  return byConnection(query, server, withinMs).catch(() => short)
}

function byDatagram(query: Buffer, { address, port }: Endpoint, withinMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
    const timers: NodeJS.Timeout[] = []
    const settle = (done: () => void) => {
      for (const timer of timers) clearTimeout(timer)
      socket.close()
      done()
    }
    socket.once('error', error => settle(() => reject(error)))
    socket.on('message', answer => {
      if (answers(answer, query)) settle(() => resolve(answer))
    })
    // Connected, so that only the nameserver is heard, and that its absence is.
    socket.once('connect', () => {
      const send = () => socket.send(query)
      send()
      for (const afterMs of againAfterMs) timers.push(setTimeout(send, afterMs))
      timers.push(setTimeout(() => settle(() => reject(timedOut())), withinMs))
    })
    socket.connect(port, address)
  })
}

/** The same id, and a response. */
const answers = (answer: Buffer, query: Buffer): boolean =>
  answer.length >= 12 && answer.readUInt16BE(0) === query.readUInt16BE(0) && (answer[2]! & 0x80) !== 0

function byConnection(query: Buffer, { address, port }: Endpoint, withinMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, noDelay: true })
    const settle = (done: () => void) => {
      clearTimeout(timer)
      socket.destroy()
      done()
    }
    const timer = setTimeout(() => settle(() => reject(timedOut())), withinMs)
    const split = splitMessages(answer => {
      if (answers(answer, query)) settle(() => resolve(answer))
    })
    socket.on('data', split)
    socket.once('connect', () => socket.write(withLength(query)))
    socket.once('error', error => settle(() => reject(error)))
    socket.once('close', () => settle(() => reject(withCode('ECONNRESET'))))
  })
}

const timedOut = () => withCode('ETIMEDOUT')
const withCode = (code: string) => Object.assign(new Error(`The nameserver gave ${code}`), { code })
