// The supervisors that a guard watches over, and what is done for the processes of one that died.
import { writeSync } from 'node:fs'
import { constants } from 'node:os'
import { processMark } from '../../protocol/hook/messages.ts'
import { signalProcess } from '../linux/group.ts'
import { openLedger } from '../linux/ledger.ts'
import { close } from '../linux/libc.ts'
import { notificationBytes, receive, sendContinue } from '../linux/notification.ts'
import { markedProcesses, readProc } from '../linux/processes.ts'
import { POLLHUP, POLLIN, type Watched } from '../linux/sockets.ts'

export type Ward = {
  /** Its end is the supervisor's. */
  readonly connection: number
  readonly notifications: number
  readonly ledger: number
  /** The value of the mark in the environment of its processes. */
  readonly process: string
}

/** A process that forks while its list is read is found in a later round. */
const killRounds = 20

export function makeWards() {
  const alive = new Set<Ward>()
  const orphaned = new Set<Ward>()
  const call = Buffer.alloc(notificationBytes)
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
    if (serverDied) endProcesses(ward)
  }

  function answer(ward: Ward, events: number): void {
    if ((events & POLLIN) !== 0 && receive(ward.notifications, call) >= 0)
      sendContinue(ward.notifications, call)
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
        if (index < living) orphan(ward)
        else answer(ward, events[index]!)
      }
    },
    /** A supervisor that lives ends its processes itself; the others' are ended here. */
    serverDied() {
      serverDied = true
      for (const ward of orphaned) endProcesses(ward)
    },
  }
}

/** They cannot be served any more, so that a signal which they could ignore is not enough. */
function endProcesses(ward: Ward): void {
  const mark = `${processMark}=${ward.process}`
  let first: { pid: number; command: string } | undefined
  for (let round = 0; round < killRounds; round++) {
    const pids = markedProcesses(mark)
    if (pids.length === 0) break
    first ??= { pid: pids[0]!, command: commandOf(pids[0]!) }
    for (const pid of pids) signalProcess(pid, constants.signals.SIGKILL)
  }
  if (first === undefined) return
  const line = `standin: the server and the supervisor of "${first.command}" (pid ${first.pid}) ended; its processes were ended too\n`
  try {
    writeSync(2, line)
  } catch {
    // Nobody reads it any more.
  }
}

const commandOf = (pid: number): string => readProc(pid, 'cmdline').split('\0').join(' ').trim()
