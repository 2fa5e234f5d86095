// One supervisor's connection: checked messages both ways, one JSON object a line.
import type { Socket } from 'node:net'
import { decode } from '../../protocol/codec.ts'
import { type FromSupervisor, fromSupervisor, type ToSupervisor } from '../../protocol/hook/messages.ts'
import { LineReader } from '../lines.ts'

const maxLineBytes = 1 << 20

export type ChannelEvents = {
  message(message: FromSupervisor): void
  closed(): void
}

export class Channel {
  /** Set at once by whoever takes the channel; messages before that are not read. */
  events: ChannelEvents | undefined
  /** Resolves when the supervisor is ready to start a command at once. */
  readonly warm: Promise<void>
  #setWarm!: () => void
  readonly #socket: Socket
  #closed = false

  constructor(socket: Socket, onFault: (text: string) => void) {
    this.#socket = socket
    this.warm = new Promise(resolve => (this.#setWarm = resolve))
    const reader = new LineReader(maxLineBytes)
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const line of reader.read(chunk)) this.#take(line)
      } catch (thrown) {
        onFault(`a supervisor was disconnected: ${thrown instanceof Error ? thrown.message : String(thrown)}`)
        socket.destroy()
      }
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.#closed = true
      this.events?.closed()
    })
  }

  get closed(): boolean {
    return this.#closed
  }

  send(message: ToSupervisor): void {
    if (!this.#closed && this.#socket.writable) this.#socket.write(`${JSON.stringify(message)}\n`)
  }

  close(): void {
    this.#socket.destroy()
  }

  #take(line: string): void {
    const checked = decode(fromSupervisor, JSON.parse(line))
    if (!checked.ok) throw new Error(checked.faults.slice(0, 3).join('; '))
    if (checked.value.type === 'warm') this.#setWarm()
    this.events?.message(checked.value)
  }
}
