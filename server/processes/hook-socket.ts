// The abstract Unix socket on which supervisors report: it lets in only those that show a token that was given out for them.
import { randomBytes } from 'node:crypto'
import { createServer, type Socket } from 'node:net'
import { settledWithin } from '../deadline.ts'
import { Channel } from './channel.ts'

const helloTimeoutMs = 5_000
/** Strangers that have not shown a token; more are turned away, so that they cannot exhaust descriptors. */
const maxStrangers = 64

/** Called with a supervisor that showed the token. */
export type Taker = (channel: Channel) => void

export type HookSocket = {
  /** Without the leading NUL. */
  readonly name: string
  /** Waits for supervisors that show the token: for one, or for any number until the returned function is called. */
  expect(token: string, options: { once: boolean }, taker: Taker): () => void
  close(): Promise<void>
}

export function newToken(): string {
  return randomBytes(32).toString('hex')
}

/** The tokens have 256 random bits and are looked up in a table, so timing tells a stranger nothing that helps. */
export async function openHookSocket(onFault: (text: string) => void): Promise<HookSocket> {
  const expected = new Map<string, { once: boolean; taker: Taker }>()
  const strangers = new Set<Socket>()
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    if (strangers.size >= maxStrangers) return void socket.destroy()
    strangers.add(socket)
    const timer = setTimeout(() => socket.destroy(), helloTimeoutMs)
    const known = () => {
      clearTimeout(timer)
      strangers.delete(socket)
    }
    socket.on('close', known)
    const channel = new Channel(socket, onFault)
    channel.events = {
      closed() {},
      message(hello) {
        known()
        const entry = hello.type === 'hello' ? expected.get(hello.token) : undefined
        if (hello.type !== 'hello' || entry === undefined) return channel.close()
        if (entry.once) expected.delete(hello.token)
        channel.events = undefined
        entry.taker(channel)
      },
    }
  })
  const name = `standin-hooks-${randomBytes(16).toString('hex')}`
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(`\0${name}`, resolve)
  })
  return {
    name,
    expect(token, { once }, taker) {
      expected.set(token, { once, taker })
      return () => void expected.delete(token)
    },
    async close() {
      expected.clear()
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      await settledWithin(closed, 1_000)
    },
  }
}
