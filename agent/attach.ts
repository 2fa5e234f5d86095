// Enters a target and serves its link until the server leaves.
import type { AgentEvent } from '../protocol/agent/control.ts'
import { asFailure, Failure } from '../protocol/errors.ts'
import { createAnswerer } from './answer.ts'
import type { AttachInvocation } from './arguments.ts'
import { type Mirror, openMirror } from './incoming/mirror.ts'
import { Sender } from './incoming/send.ts'
import type { MirrorOptions } from './incoming/subscription.ts'
import { type Listener, listenForServer } from './link/listen.ts'
import { exitNow } from './linux/libc.ts'
import { log } from './log.ts'
import { printFailure, printLine } from './print.ts'
import { enterTarget, factsOf, holdTarget, scopeOf } from './target.ts'
import { ListenerWatch } from './targets/own-listeners.ts'
import { TargetWatch } from './watch.ts'

/** Prints where it listens and then serves; ends the program itself, for a thread that waits in the kernel would hold it up. */
export async function attach(invocation: AttachInvocation): Promise<void> {
  endWithServer()
  try {
    printLine({ listening: await serve(invocation) })
  } catch (error) {
    printFailure(named(error, invocation.target), `attach to ${invocation.target}`)
    end(1)
  }
}

async function serve(invocation: AttachInvocation): Promise<string> {
  const held = holdTarget(invocation)
  let answer: (value: unknown) => void = () => undefined
  // Before the target is entered: abstract Unix sockets belong to a network namespace, and the server is in ours.
  const listener = await listenForServer({
    session: invocation.session,
    publicKey: invocation.key,
    graceMs: invocation.graceMs,
    onControl: value => answer(value),
    onOpen: stream => stream.reset('the agent takes no streams'),
    onAttached: () => undefined,
    onGone: reason => end(0, reason),
  })
  const tell = (event: AgentEvent) => send(listener, event)
  const fixed = enterTarget(invocation)
  const watch = new TargetWatch({ held, listeners: new ListenerWatch(scopeOf(invocation)), tell })
  const sender = new Sender(opened => listener.endpoint.open(opened, { oneWay: true }))
  const mirror = lazyMirror({
    openStream: opened => sender.openStream(opened),
    onNotice: text => tell({ event: 'notice', level: 'warning', text }),
  })
  answer = createAnswerer({
    facts: () => factsOf(invocation, fixed, watch.ports),
    mirror,
    slow: () => sender.slow,
    reply: value => listener.endpoint.control(value),
    end: () => end(0, 'the server asked for it'),
    log,
  })
  if (fixed.dropped.length > 0)
    tell({
      event: 'notice',
      level: 'warning',
      text: `variables too large to pass on: ${fixed.dropped.join(', ')}`,
    })
  return listener.name
}

/** The server holds the other end of our standard input, so its end, however it comes, is ours. A terminal's Ctrl-C is not for us. */
function endWithServer(): void {
  process.stdin
    .on('end', () => end(0))
    .on('close', () => end(0))
    .on('error', () => end(0))
    .resume()
  process.on('SIGTERM', () => end(0))
  process.on('SIGINT', () => undefined)
  process.on('uncaughtException', error => end(1, error.stack ?? error.message))
}

/** At once: the kernel closes what is open, and nothing of ours outlives the process. */
function end(code: number, reason?: string): never {
  if (reason !== undefined) log(reason)
  return exitNow(code)
}

/** A session that mirrors nothing then needs no right to capture. */
function lazyMirror(options: MirrorOptions): () => Mirror {
  let mirror: Mirror | undefined
  return () => {
    mirror ??= openMirror(options)
    return mirror
  }
}

/** An event that the link can't take any more is one that the server no longer needs: it is then about to make another agent. */
function send(listener: Listener, event: AgentEvent): void {
  try {
    listener.endpoint.control(event)
  } catch (error) {
    log(`an event could not be sent: ${String(error)}`)
  }
}

/** The kernel edges know pids; the user knows the target by its name. */
function named(error: unknown, target: string): Failure {
  const failure = asFailure(error, 'attach')
  return failure.kind === 'target-ended' ? new Failure('target-ended', { target }) : failure
}
