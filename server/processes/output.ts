// Pumps a launched command's output to the client, no faster than the client reads: the pipe is paused, so the command waits as on a slow terminal.
import type { Readable } from 'node:stream'
import { processOutput } from '../../protocol/rpc/processes.ts'
import type { Client } from '../rpc/client.ts'
import { OutputText } from './text.ts'

/** After the command has exited, a survivor may hold its pipes open: this much silence counts as their end. */
const silenceMs = 100

export class OutputPump {
  readonly #client: Client
  readonly #processId: string
  readonly #open = new Set<Readable>()
  readonly #waiting = new Set<Readable>()
  #muted = false
  #lastAt = 0
  #changed: (() => void) | undefined

  constructor(client: Client, processId: string) {
    this.#client = client
    this.#processId = processId
  }

  add(stream: 'stdout' | 'stderr', pipe: Readable): void {
    const text = new OutputText()
    this.#open.add(pipe)
    pipe.on('data', (chunk: Buffer) => {
      this.#lastAt = performance.now()
      this.#send(stream, text.write(chunk))
      if (!this.#muted && this.#client.congested) this.#wait(pipe)
    })
    pipe.on('error', () => {})
    pipe.on('close', () => {
      this.#send(stream, text.end())
      this.#open.delete(pipe)
      this.#changed?.()
    })
  }

  /** Resolves when all output was sent: the pipes ended, or were silent while the client kept up. Nothing is sent afterwards. */
  async drained(): Promise<void> {
    this.#lastAt = performance.now()
    while (this.#open.size > 0) {
      if (this.#waiting.size > 0) await this.#client.room()
      const silentMs = this.#waiting.size > 0 ? 0 : performance.now() - this.#lastAt
      if (silentMs >= silenceMs) break
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, silenceMs - silentMs + 1)
        this.#changed = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    this.mute()
  }

  /** What comes from here on is read and thrown away, so that survivors do not block on a full pipe. */
  mute(): void {
    this.#muted = true
    for (const pipe of this.#waiting) pipe.resume()
  }

  #send(stream: 'stdout' | 'stderr', pieces: ReturnType<OutputText['write']>): void {
    if (this.#muted) return
    for (const piece of pieces)
      this.#client.notify(processOutput, { processId: this.#processId, stream, ...piece })
  }

  #wait(pipe: Readable): void {
    pipe.pause()
    this.#waiting.add(pipe)
    void this.#client.room().then(() => {
      this.#waiting.delete(pipe)
      this.#lastAt = performance.now()
      pipe.resume()
    })
  }
}
