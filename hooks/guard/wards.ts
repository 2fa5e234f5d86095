// The supervisors that a guard watches over, and what is done for the processes of one that died.
import { writeSync } from 'node:fs'
import { constants } from 'node:os'
import { decode } from '../../protocol/codec.ts'
import { guardEnding } from '../../protocol/hook/guard.ts'
import type { UnixStreams } from '../../protocol/outgoing/unix-streams.ts'
import { signalProcess } from '../linux/group.ts'
import { openLedger } from '../linux/ledger.ts'
import { close } from '../linux/libc.ts'
import {
  type Call,
  notificationBytes,
  receive,
  sendContinue,
  sendResult,
  threadOf,
} from '../linux/notification.ts'
import { markedProcesses, readProc } from '../linux/processes.ts'
import { POLLHUP, POLLIN, type Watched } from '../linux/sockets.ts'
import { receiveWithDescriptors } from '../linux/unix-sockets.ts'
import { mayBePods } from '../syscalls/may-be-pods.ts'

export type Ward = {
  /** Its end is the supervisor's. */
  readonly connection: number
  readonly notifications: number
  readonly ledger: number
  /** Its processId, by which its processes are found. */
  readonly process: string
  /** Its connections are the pod's. */
  readonly outgoing: boolean
  /** Its datagrams are. */
  readonly datagrams: boolean
  /** Which Unix sockets are. */
  readonly unix: UnixStreams | undefined
}

const { SIGKILL } = constants.signals
const { ENETUNREACH } = constants.errno
const killEveryMs = 100

type Ending = { pid: number; command: string }

export class Wards {
  readonly #alive = new Set<Ward>()
  readonly #orphaned = new Set<Ward>()
  readonly #call = Buffer.alloc(notificationBytes)
  readonly #told = new WeakSet<Ward>()
  readonly #endings = new WeakMap<Ward, Ending>()
  #serverDied = false

  get size(): number {
    return this.#alive.size + this.#orphaned.size
  }

  /** How long to wait for events, in milliseconds: for ever, or for the next round of `endOrphans`. */
  get patienceMs(): number {
    return this.#serverDied && this.#orphaned.size > 0 ? killEveryMs : -1
  }

  add(ward: Ward): void {
    this.#alive.add(ward)
  }

  watched(): Watched[] {
    return [
      ...[...this.#alive].map(({ connection }) => ({ descriptor: connection, events: POLLIN })),
      ...[...this.#orphaned].map(({ notifications }) => ({ descriptor: notifications, events: POLLIN })),
    ]
  }

  /** Serves the events of what `watched` listed, in its order. */
  serve(events: readonly number[]): void {
    const listed = [...this.#alive, ...this.#orphaned]
    const living = this.#alive.size
    for (const [index, ward] of listed.entries()) {
      if ((events[index] ?? 0) === 0) continue
      if (index < living) this.#hear(ward)
      else this.#answer(ward, events[index]!)
    }
  }

  /** A supervisor that lives ends its processes itself; the others' are ended here. */
  serverDied(): void {
    this.#serverDied = true
    for (const ward of this.#alive) this.#tellEnding(ward)
    this.endOrphans()
  }

  /** One round; a process that forks while the list of processes is read is found in a later one. */
  endOrphans(): void {
    if (this.#serverDied) for (const ward of this.#orphaned) this.#end(ward)
  }

  /** What a supervisor says, or its death. */
  #hear(ward: Ward): void {
    const received = receiveWithDescriptors(ward.connection)
    const ending = typeof received === 'number' ? undefined : readEnding(received.payload)
    if (ending === undefined) this.#orphan(ward)
    else {
      this.#endings.set(ward, ending)
      this.#tellEnding(ward)
    }
  }

  /** The supervisor is gone: what it was answering is left to the kernel, and everything that comes. */
  #orphan(ward: Ward): void {
    this.#alive.delete(ward)
    this.#orphaned.add(ward)
    const ledger = openLedger(ward.ledger)
    // What it was deciding may be a connect that is not in progress yet; those that are held are, whatever address they name.
    if (isRefused(ward, ledger.current)) sendResult(ward.notifications, ledger.current, -ENETUNREACH)
    for (const id of ledger.refusedIds()) sendResult(ward.notifications, id, -ENETUNREACH)
    for (const id of ledger.ids()) sendContinue(ward.notifications, id)
    close(ward.connection)
    close(ward.ledger)
    if (this.#serverDied) this.#end(ward)
  }

  #answer(ward: Ward, events: number): void {
    if ((events & POLLIN) !== 0 && receive(ward.notifications, this.#call) >= 0) {
      // One that has got rid of its mark is found by its call.
      if (this.#serverDied) signalProcess(threadOf(this.#call), SIGKILL)
      if (isRefused(ward, this.#call)) sendResult(ward.notifications, this.#call, -ENETUNREACH)
      else sendContinue(ward.notifications, this.#call)
    }
    if ((events & POLLHUP) === 0) return
    this.#orphaned.delete(ward)
    close(ward.notifications)
  }

  /** Its processes cannot be served any more, so that a signal which they could ignore is not enough. */
  #end(ward: Ward): void {
    const pids = markedProcesses(ward.process)
    const [first] = pids
    if (first !== undefined)
      this.#tell(ward, `the server and the supervisor of "${commandOf(first)}" (pid ${first}) ended`)
    for (const pid of pids) signalProcess(pid, SIGKILL)
  }

  /** The server may also have closed its line to a supervisor for another reason. */
  #tellEnding(ward: Ward): void {
    const ending = this.#endings.get(ward)
    if (ending === undefined || !this.#serverDied) return
    this.#tell(ward, `the server of "${ending.command}" (pid ${ending.pid}) ended`)
  }

  /** One line a command. */
  #tell(ward: Ward, what: string): void {
    if (this.#told.has(ward)) return
    this.#told.add(ward)
    try {
      writeSync(2, `standin: ${what}; its processes were ended too\n`)
    } catch {
      // Nobody reads it any more.
    }
  }
}

const isRefused = ({ outgoing, datagrams, unix }: Ward, call: Call): boolean =>
  mayBePods(call, { internet: outgoing || datagrams, datagrams, unix })

function readEnding(payload: Buffer): Ending | undefined {
  try {
    const checked = decode(guardEnding, JSON.parse(payload.toString('utf8')))
    return checked.ok ? checked.value : undefined
  } catch {
    return undefined
  }
}

const commandOf = (pid: number): string => readProc(pid, 'cmdline').split('\0').join(' ').trim()
