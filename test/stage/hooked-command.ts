// One command under the hooks: its supervisor, what the two say, and connections delivered to it as a server delivers them.
import type { ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'
import type { createInterface } from 'node:readline'
import { decode, type Endpoint } from '../../protocol/codec.ts'
import { type FromSupervisor, fromSupervisor, type ToSupervisor } from '../../protocol/hook/messages.ts'
import { exchange, freshSource } from './callers.ts'
import { type Lines, linesOf } from './lines.ts'
import { Mailbox } from './mailbox.ts'

export type Message<T extends FromSupervisor['type']> = Extract<FromSupervisor, { type: T }>
export type Listener = Message<'listening'>

export class HookedCommand {
  readonly messages = new Mailbox<FromSupervisor>()
  readonly output: Lines
  readonly errors: Lines
  /** How the supervisor itself ended. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  /** Of the command, once it was started. */
  pid = 0
  #announcement = 0
  readonly #announced = new Map<number, () => void>()
  #socket: Socket | undefined

  constructor(
    readonly supervisor: ChildProcess,
    readonly process: string,
  ) {
    this.output = linesOf(supervisor.stdout)
    this.errors = linesOf(supervisor.stderr)
    this.ended = new Promise(resolve => {
      supervisor.once('exit', (code, signal) => resolve({ code, signal }))
      supervisor.once('error', () => resolve({ code: null, signal: null }))
    })
  }

  /** The supervisor's connection, whose `hello` was read by whoever accepted it. */
  attach(socket: Socket, lines: ReturnType<typeof createInterface>): void {
    this.#socket = socket
    lines.on('line', line => this.#receive(line))
    // readline passes the errors of its input on.
    for (const source of [socket, lines, this.supervisor.stdin]) source?.on('error', () => {})
  }

  /** Ends the connection, as the death of the server does. */
  disconnect(): void {
    this.#socket?.destroy()
  }

  #receive(line: string): void {
    const decoded = decode(fromSupervisor, JSON.parse(line))
    if (!decoded.ok) throw new Error(`The supervisor sent ${line}: ${decoded.faults.join('; ')}`)
    const message = decoded.value
    if (message.type === 'started') this.pid = message.pid
    if (message.type !== 'announced') {
      this.messages.add(message)
      return
    }
    this.#announced.get(message.announcement)?.()
    this.#announced.delete(message.announcement)
  }

  send(message: ToSupervisor): void {
    this.#socket?.write(`${JSON.stringify(message)}\n`)
  }

  /** The next message of that type that was not taken before. */
  next<T extends FromSupervisor['type']>(
    type: T,
    matches: (message: Message<T>) => boolean = () => true,
    withinMs = 15_000,
  ): Promise<Message<T>> {
    const is = (message: FromSupervisor): message is Message<T> =>
      message.type === type && matches(message as Message<T>)
    const showing = () => ({
      messages: this.messages.all.slice(-5),
      output: this.output.all.slice(-3),
      errors: this.errors.all.slice(-3),
    })
    return this.messages.take(`message "${type}"`, is, { withinMs, showing })
  }

  listening(port: number): Promise<Listener> {
    return this.next('listening', message => message.asked.port === port)
  }

  /** The text of the next notice with that code. */
  async notice(code: string): Promise<string> {
    return (await this.next('notice', message => message.code === code)).text
  }

  /** Texts of the notices that came until now. */
  notices(code: string): string[] {
    return this.messages.all.flatMap(message =>
      message.type === 'notice' && message.code === code ? [message.text] : [],
    )
  }

  /** Announces a connection from `source`; resolves when it may be made. */
  announce(
    source: Endpoint,
    { caller, pod }: { caller: Endpoint; pod: Endpoint },
    withinMs = 15_000,
  ): Promise<void> {
    const announcement = ++this.#announcement
    return new Promise((resolve, reject) => {
      const late = () =>
        reject(new Error(`announcement ${announcement} was not answered within ${withinMs} ms`))
      const timer = setTimeout(late, withinMs)
      this.#announced.set(announcement, () => {
        clearTimeout(timer)
        resolve()
      })
      this.send({ type: 'announce', announcement, source, caller, pod })
    })
  }

  /** Whether a connection to this address would be one of a hooked process. */
  async isReached(to: Endpoint): Promise<boolean> {
    const announcement = ++this.#announcement
    this.send({ type: 'connected', announcement, to })
    return (await this.next('reached', message => message.announcement === announcement)).hooked
  }

  /** Delivers one connection: announced, made from a source of its own, ended after the bytes. Gives the process's answer. */
  async deliver(
    listener: Listener,
    as: { caller: Endpoint; pod: Endpoint },
    bytes: string,
    withinMs = 15_000,
  ): Promise<string> {
    const to = reachable(listener.actual)
    const from = freshSource(to.address.includes(':') ? 'ipv6' : 'ipv4')
    await this.announce(from, as, withinMs)
    return exchange({ to, from, bytes, withinMs })
  }
}

/** The loopback address that reaches an endpoint which may be a wildcard. */
export function reachable({ address, port }: Endpoint): Endpoint {
  if (address === '0.0.0.0') return { address: '127.0.0.1', port }
  return { address: address === '::' ? '::1' : address, port }
}
