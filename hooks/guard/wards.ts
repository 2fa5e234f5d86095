// The supervisors that a guard watches over, and what is done for the processes of one that died.
import { writeSync } from 'node:fs'
import { constants } from 'node:os'
import { decode } from '../../protocol/codec.ts'
import { guardEnding } from '../../protocol/hook/messages.ts'
import { signalProcess } from '../linux/group.ts'
import { openLedger } from '../linux/ledger.ts'
import { close } from '../linux/libc.ts'
import { notificationBytes, receive, sendContinue, threadOf } from '../linux/notification.ts'
import { markedProcesses, readProc } from '../linux/processes.ts'
import { POLLHUP, POLLIN, type Watched } from '../linux/sockets.ts'
import { receiveWithDescriptors } from '../linux/unix-sockets.ts'

export type Ward = {
  /** Its end is the supervisor's. */
  readonly connection: number
  readonly notifications: number
  readonly ledger: number
  /** Its processId, by which its processes are found. */
  readonly process: string
}

/** A process that forks while the list of processes is read is found in a later round. */
const killEveryMs = 100

type Ending = { pid: number; command: string }

export function makeWards() {
  const alive = new Set<Ward>()
  const orphaned = new Set<Ward>()
  const call = Buffer.alloc(notificationBytes)
  const told = new WeakSet<Ward>()
  const endings = new WeakMap<Ward, Ending>()
  let serverDied = false

  function release(ward: Ward): void {
    orphaned.delete(ward)
    close(ward.notifications)
  }

  /** The supervisor is gone: what it was answering is left to the kernel, and everything that comes. */
  function orphan(ward: Ward): void {
    alive.delete(ward)
    orphaned.add(ward)
    for (const id of openLedger(ward.ledger).ids()) sendContinue(ward.notifications, id)
    close(ward.connection)
    close(ward.ledger)
    if (serverDied) end(ward)
  }

  /** Its processes cannot be served any more, so that a signal which they could ignore is not enough. */
  function end(ward: Ward): void {
    tell(ward)
    for (const pid of markedProcesses(ward.process)) signalProcess(pid, constants.signals.SIGKILL)
  }

  /** One line a command; none when nothing of it is left. */
  function tell(ward: Ward): void {
    const [pid] = told.has(ward) ? [] : markedProcesses(ward.process)
    if (pid === undefined) return
    told.add(ward)
    say(
      `standin: the server and the supervisor of "${commandOf(pid)}" (pid ${pid}) ended; its processes were ended too\n`,
    )
  }

  /** A supervisor that lives ends its processes itself, and has said so here; the server may also have closed its line for another reason. */
  function tellEnding(ward: Ward): void {
    const ending = endings.get(ward)
    if (ending === undefined || told.has(ward) || !serverDied) return
    told.add(ward)
    say(
      `standin: the server of "${ending.command}" (pid ${ending.pid}) ended; its processes were ended too\n`,
    )
  }

  /** What a supervisor says, or its death. */
  function hear(ward: Ward): void {
    const received = receiveWithDescriptors(ward.connection)
    const ending = typeof received === 'number' ? undefined : readEnding(received.payload)
    if (ending === undefined) orphan(ward)
    else {
      endings.set(ward, ending)
      tellEnding(ward)
    }
  }

  function answer(ward: Ward, events: number): void {
    if ((events & POLLIN) !== 0 && receive(ward.notifications, call) >= 0) {
      // One that has got rid of its mark is found by its call.
      if (serverDied) signalProcess(threadOf(call), constants.signals.SIGKILL)
      sendContinue(ward.notifications, call)
    }
    if ((events & POLLHUP) !== 0) release(ward)
  }

  return {
    get size() {
      return alive.size + orphaned.size
    },
    add: (ward: Ward) => void alive.add(ward),
    watched: (): Watched[] => [
      ...[...alive].map(({ connection }) => ({ descriptor: connection, events: POLLIN })),
      ...[...orphaned].map(({ notifications }) => ({ descriptor: notifications, events: POLLIN })),
    ],
    /** Serves the events of what `watched` listed, in its order. */
    serve(events: readonly number[]) {
      const listed = [...alive, ...orphaned]
      const living = alive.size
      for (const [index, ward] of listed.entries()) {
        if ((events[index] ?? 0) === 0) continue
        if (index < living) hear(ward)
        else answer(ward, events[index]!)
      }
    },
    /** How long to wait for events, in milliseconds: for ever, or for the next round. */
    get patienceMs() {
      return serverDied && orphaned.size > 0 ? killEveryMs : -1
    },
    /** The next round for what is still there. */
    endOrphans() {
      if (serverDied) for (const ward of orphaned) end(ward)
    },
    /** A supervisor that lives ends its processes itself; the others' are ended here. */
    serverDied() {
      serverDied = true
      for (const ward of alive) tellEnding(ward)
      for (const ward of orphaned) end(ward)
    },
  }
}

function readEnding(payload: Buffer): Ending | undefined {
  try {
    const checked = decode(guardEnding, JSON.parse(payload.toString('utf8')))
    return checked.ok ? checked.value : undefined
  } catch {
    return undefined
  }
}

function say(line: string): void {
  try {
    writeSync(2, line)
  } catch {
    // Nobody reads it any more.
  }
}

const commandOf = (pid: number): string => readProc(pid, 'cmdline').split('\0').join(' ').trim()
