// Meeting places of the relay: one abstract Unix socket each, for the one connection of a supervisor that joins a process's Unix socket with the server.
import { randomBytes } from 'node:crypto'
import { close } from './linux/libc.ts'
import { acceptAbstract, listenAbstract, peerOf } from './linux/unix-sockets.ts'

const ECONNREFUSED = 111
/** A supervisor comes at once, or not at all. */
const lifeMs = 10_000

type Meeting = { listener: number; supervisor: number; seqpacket: boolean; timer: NodeJS.Timeout }
export type Met = { connection: number; seqpacket: boolean }

export class Meetings {
  readonly #open = new Map<number, Meeting>()

  /** The name of the place, or a negative errno. */
  open(id: number, { supervisor, seqpacket }: Pick<Meeting, 'supervisor' | 'seqpacket'>): string | number {
    const name = `standin-meeting-${randomBytes(16).toString('hex')}`
    const listener = listenAbstract(name, { nonBlocking: true, seqpacket })
    if (listener < 0) return listener
    const timer = setTimeout(() => this.#close(id), lifeMs)
    this.#open.set(id, { listener, supervisor, seqpacket, timer })
    return name
  }

  /** The supervisor's connection, which is there already, owned by the caller; or a negative errno. The place is closed. */
  take(id: number): Met | number {
    const meeting = this.#open.get(id)
    if (meeting === undefined) return -ECONNREFUSED
    try {
      for (;;) {
        const connection = acceptAbstract(meeting.listener)
        if (connection < 0) return connection
        const { pid, user } = peerOf(connection)
        if (pid === meeting.supervisor && user === process.getuid?.())
          return { connection, seqpacket: meeting.seqpacket }
        close(connection)
      }
    } finally {
      this.#close(id)
    }
  }

  #close(id: number): void {
    const meeting = this.#open.get(id)
    if (meeting === undefined) return
    clearTimeout(meeting.timer)
    close(meeting.listener)
    this.#open.delete(id)
  }
}
