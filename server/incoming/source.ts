// From where, and to where, a connection to a listener of this machine goes: addresses by the listener's, ports by turn.
import { isIP } from 'node:net'
import type { Endpoint } from '../../protocol/codec.ts'

const firstPort = 20_000
const portCount = 41_000

/** A way to reach a listener: the address to connect to, and the one to connect from. */
export type Route = { to: string; from: string }

/**
 * Loopback of the listener's family reaches loopback and any-address listeners; another local address is reached from itself. Several
 * routes are alternatives, best first: an IPv6 any-address listener can also be reached where ::1 is switched off.
 */
export function routesTo({ address }: Endpoint): Route[] {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return routesTo({ address: mapped, port: 0 })
  if (address === '0.0.0.0') return [{ to: '127.0.0.1', from: '127.0.0.1' }]
  if (address === '::') return ['::1', '127.0.0.1'].map(loopback => ({ to: loopback, from: loopback }))
  if (isIP(address) === 4 && address.startsWith('127.')) return [{ to: address, from: '127.0.0.1' }]
  return [{ to: address, from: address }]
}

/**
 * Source ports of connections to the process, each in use once. They are taken in turn and not at random, because the side that closes
 * first keeps its port in TIME_WAIT for 60 s: in turn, the ports that were used longest ago come first.
 */
export class SourcePorts {
  #next: number
  readonly #taken = new Set<number>()

  constructor(start = Math.floor(Math.random() * portCount)) {
    this.#next = start
  }

  /** undefined when all are taken. */
  take(): number | undefined {
    if (this.#taken.size >= portCount) return undefined
    let port = this.#advance()
    while (this.#taken.has(port)) port = this.#advance()
    this.#taken.add(port)
    return port
  }

  release(port: number): void {
    this.#taken.delete(port)
  }

  #advance(): number {
    const port = firstPort + this.#next
    this.#next = (this.#next + 1) % portCount
    return port
  }
}
