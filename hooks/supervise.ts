// The supervisor's life: warm up, wait for start, run the command, stay until the last hooked process is gone, end as the command ended.
import { writeSync } from 'node:fs'
import { Failure } from '../protocol/errors.ts'
import {
  hookProcessVariable,
  hookSocketVariable,
  hookTokenVariable,
  type ToSupervisor,
} from '../protocol/hook/messages.ts'
import { commandEnvironment } from './command/environment.ts'
import { exitCodeOf } from './command/failure.ts'
import { followCommand } from './command/follow.ts'
import { endEverything, signalCommand } from './command/signals.ts'
import { registerWithGuard } from './guard/register.ts'
import { becomeSubreaper, reapOrphans } from './linux/children.ts'
import { endAs } from './linux/group.ts'
import { whenHungUp } from './linux/hangup.ts'
import { errnoName, exitAtOnce } from './linux/libc.ts'
import { makeListeners } from './listeners.ts'
import { openServerLine } from './server-line.ts'
import { openAnnouncements, setWanted } from './shared/announcements.ts'
import { plainFailure } from './shared/failures.ts'
import type { FromAnswerer, FromSpawner, PlainFailure } from './shared/threads.ts'
import { startThreads, type Threads } from './threads.ts'

type Start = Extract<ToSupervisor, { type: 'start' }>
type End = { code?: number; signal?: string }
/** How long what is hooked has to end by itself when the server is gone. */
const killAfterMs = 2000

export function supervise(ownCommand: readonly string[]): void {
  const {
    [hookSocketVariable]: name,
    [hookTokenVariable]: token,
    [hookProcessVariable]: processId,
  } = process.env
  if (name === undefined || token === undefined || processId === undefined) return refuseToRunAlone()
  becomeSubreaper()
  let command: number | undefined
  let end: End | undefined
  let started: Start | undefined
  const line = openServerLine(name, {
    message: receive,
    end: () => (started === undefined ? exitAtOnce(125) : endEverything(killAfterMs)),
    fault: reason => fail(plainFailure(new Failure('hook-failed', { command: shown(), reason }))),
  })
  line.say({ type: 'hello', token, process: processId, pid: process.pid })
  const listeners = makeListeners(message => line.say(message))
  const threads = startThreads({ answerer: fromAnswerer, spawner: fromSpawner })
  threads.then(warm, thrown => fail(plainFailure(thrown)))

  const shown = () => (started?.command ?? ownCommand).join(' ')

  function warm({ noNewPrivileges, memory }: Threads): void {
    listeners.watch(memory.wanted)
    if (noNewPrivileges) line.say(privilegesNotice)
    line.say({ type: 'warm' })
  }

  function fail(failure: PlainFailure): void {
    // What runs already is not ended by a message that cannot be read.
    if (command !== undefined) return
    line.say({ type: 'failed', failure })
    line.flush(() => exitAtOnce(exitCodeOf(failure.kind)))
  }

  function receive(message: ToSupervisor): void {
    if (message.type === 'start') started = message
    // Before the threads are warm there is nothing to change; the order of messages is kept.
    threads.then(
      ready => act(message, ready),
      () => undefined,
    )
  }

  function act(message: ToSupervisor, { memory, tellAnswerer, ...threads }: Threads): void {
    const announcements = openOnce(memory.announcements)
    switch (message.type) {
      case 'start':
        setWanted(memory.wanted, message.ports)
        tellAnswerer({ type: 'addresses', addresses: message.addresses })
        return startCommand(message, { memory, tellAnswerer, ...threads })
      case 'ports':
        setWanted(memory.wanted, message.ports)
        return listeners.review()
      case 'announce':
        announcements.put(message.announcement, message.source, message)
        // The answerer reads the same memory before each decision, so that it is in force from here on.
        return line.say({ type: 'announced', announcement: message.announcement })
      case 'retract':
        return announcements.retract(message.announcement)
      case 'signal':
        return signalCommand(command, message.signal)
      case 'end':
        return endEverything(message.killAfterMs)
    }
  }

  function startCommand(start: Start, threads: Threads): void {
    const [file, ...args] = start.command ?? ownCommand
    if (file === undefined)
      return fail(plainFailure(new Failure('hook-failed', { command: '', reason: 'no command was given' })))
    const registered = registerWithGuard({
      guard: start.guard,
      token: start.guardToken,
      process: processId!,
      notifications: threads.notifications,
      ledger: threads.ledger,
    })
    if (registered < 0) line.say(guardNotice(registered))
    const environment = commandEnvironment(process.env, start.environment, processId!)
    threads.tellSpawner({
      type: 'spawn',
      command: { file, args, environment, cwd: start.cwd ?? process.cwd() },
    })
    whenHungUp(threads.notifications, finish)
  }

  function fromSpawner(message: FromSpawner): void {
    if (message.type === 'refused') return fail(message.failure)
    if (message.type === 'spawned') {
      command = message.pid
      line.say({ type: 'started', pid: message.pid })
      followCommand(message.pid, () => end !== undefined)
      reapOrphans(message.pid)
    }
    if (message.type === 'exit') {
      end = {
        ...(message.code === null ? {} : { code: message.code }),
        ...(message.signal === null ? {} : { signal: message.signal }),
      }
      line.say({ type: 'exit', ...end })
      reapOrphans(0)
    }
  }

  function fromAnswerer(message: FromAnswerer): void {
    if (message.type === 'notice') line.say({ type: 'notice', ...message.notice })
    if (message.type === 'listening') listeners.add(message.listener)
  }

  /** The descriptor hangs up when the command, all that it left behind and our own filtered thread have ended. */
  function finish(): void {
    if (command === undefined) return
    if (end === undefined) return void setImmediate(finish)
    const last = end
    line.say({ type: 'done' })
    line.flush(() => endAs(last))
  }
}

const openOnce = (() => {
  let opened: ReturnType<typeof openAnnouncements> | undefined
  return (memory: SharedArrayBuffer) => {
    opened ??= openAnnouncements(memory)
    return opened
  }
})()

const privilegesNotice = {
  type: 'notice',
  level: 'warning',
  code: 'no-new-privileges',
  text: 'sudo, ping and other programs with the setuid bit do not gain rights under standin (no_new_privs); as root they do',
} as const

const guardNotice = (errno: number) =>
  ({
    type: 'notice',
    level: 'warning',
    code: 'guard-missing',
    text: `Nobody answers for the command if its supervisor dies: the guard cannot be reached (${errnoName(errno)})`,
  }) as const

function refuseToRunAlone(): void {
  const { message } = new Failure('usage-wrong', {
    reason: 'the program "hook" is started by a standin server',
    help: 'standin help exec',
  })
  writeSync(2, `standin: ${message}\n`)
  process.exitCode = 125
}
