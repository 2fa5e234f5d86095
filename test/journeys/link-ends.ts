// Both ends of a link on real Unix sockets, and a proxy between them that cuts connections.
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { type ListenOptions, listenForServer, type NamedListener } from '../../agent/link/listen.ts'
import { type ConnectOptions, connectLink, type Link, type LinkState } from '../../server/link/connect.ts'
import { Mailbox } from '../stage/mailbox.ts'

const keys = generateKeyPairSync('ed25519')

export type AgentEnd = NamedListener & { heard: Mailbox<string> }

/** An agent's end; `heard` gets "attached" and "gone: REASON" as they come. */
export async function listen(options: Partial<ListenOptions> = {}): Promise<AgentEnd> {
  const heard = new Mailbox<string>()
  const listener = await listenForServer({
    session: 's1',
    publicKey: keys.publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    graceMs: 10_000,
    onControl() {},
    onOpen() {},
    onAttached: () => heard.add('attached'),
    onGone: reason => heard.add(`gone: ${reason}`),
    ...options,
  })
  return { ...listener, heard }
}

export type ServerEnd = Link & { states: Mailbox<LinkState> }

/** A server's end that dials an abstract Unix socket. */
export function dialTo(name: string, options: Partial<ConnectOptions> = {}): ServerEnd {
  const states = new Mailbox<LinkState>()
  const link = connectLink({
    dial: () => socketTo(name),
    session: 's1',
    privateKey: keys.privateKey,
    graceMs: 10_000,
    onControl() {},
    onOpen() {},
    onState: state => states.add(state),
    ...options,
  })
  return { ...link, states }
}

export async function socketTo(name: string): Promise<Socket> {
  const socket = connect(`\0${name}`)
  await once(socket, 'connect')
  return socket
}

export type CuttingProxy = { readonly name: string; readonly cuts: number; cut(): void; close(): void }

/** Passes connections on to `name`, and cuts each after as many bytes as `cutAfterBytes` says. */
export async function proxyTo(name: string, cutAfterBytes: () => number): Promise<CuttingProxy> {
  const open = new Set<Socket>()
  let cuts = 0
  const server = createServer(near => {
    const far = connect(`\0${name}`)
    let leftBytes = cutAfterBytes()
    const cut = (): void => {
      for (const socket of [near, far]) {
        socket.destroy()
        open.delete(socket)
      }
    }
    const pass = (from: Socket, to: Socket): void => {
      open.add(from)
      from.on('data', bytes => {
        const passing = bytes.subarray(0, leftBytes)
        leftBytes -= bytes.length
        if (!to.write(passing)) from.pause()
        if (leftBytes >= 0) return
        cuts += 1
        cut()
      })
      to.on('drain', () => from.resume())
      from.on('error', () => {}).on('close', cut)
    }
    pass(near, far)
    pass(far, near)
  })
  const own = `standin-test-proxy-${name.slice(-8)}`
  server.listen(`\0${own}`)
  await once(server, 'listening')
  const cut = (): void => {
    for (const socket of open) socket.destroy()
  }
  return {
    name: own,
    get cuts() {
      return cuts
    },
    cut,
    close() {
      server.close()
      cut()
    },
  }
}
