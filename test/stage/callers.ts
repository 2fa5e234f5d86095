// Makes connections to a listener from source addresses of their own, as the server delivers mirrored ones.
import { connect } from 'node:net'
import type { Endpoint } from '../../protocol/codec.ts'

let next = 0

/** A loopback address and port that no connection of this run had before, so that TIME_WAIT never stands in the way. */
export function freshSource(family: 'ipv4' | 'ipv6'): Endpoint {
  const n = ++next
  if (family === 'ipv6') return { address: '::1', port: 10_000 + (n % 20_000) }
  return { address: `127.${64 + ((n >> 16) & 63)}.${(n >> 8) & 255}.${n & 255}`, port: 20_000 + (n % 10_000) }
}

/** Sends the bytes from that source, ends, and gives what comes back until the other side ends. */
export function exchange(options: {
  to: Endpoint
  from?: Endpoint
  bytes: string
  withinMs?: number
}): Promise<string> {
  const { to, from, bytes, withinMs = 15_000 } = options
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect({
      host: to.address,
      port: to.port,
      allowHalfOpen: true,
      ...(from === undefined ? {} : { localAddress: from.address, localPort: from.port }),
    })
    const timer = setTimeout(
      () => socket.destroy(new Error(`no answer to "${bytes.slice(0, 40)}" within ${withinMs} ms`)),
      withinMs,
    )
    socket.setEncoding('utf8')
    socket.on('data', part => {
      answer += part
    })
    socket.on('connect', () => socket.end(bytes))
    socket.on('error', reject)
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(answer)
    })
  })
}

/** Calls `work` for 0 to count-1, at most `atOnce` at a time. */
export async function several(
  count: number,
  atOnce: number,
  work: (index: number) => Promise<void>,
): Promise<void> {
  let index = 0
  const lane = async () => {
    while (index < count) await work(index++)
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
}
