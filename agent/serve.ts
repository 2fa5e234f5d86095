// Serves the link of an entered target: answers requests, captures, and tells of ports and of the target's end.
import { setPriority } from 'node:os'
import type { AgentEvent, CaptureCounters } from '../protocol/agent/control.ts'
import { createAnswerer } from './answer.ts'
import { type Mirror, openMirror } from './incoming/mirror.ts'
import { ownTraffic } from './incoming/own-traffic.ts'
import { Sender } from './incoming/send.ts'
import type { MirrorOptions } from './incoming/subscription.ts'
import type { Listener, ListenOptions } from './link/listen.ts'
import { sendEvent } from './link/send-event.ts'
import { exitNow } from './linux/libc.ts'
import { localAddresses } from './linux/local-addresses.ts'
import { log } from './log.ts'
import { watchLosses } from './loss-watch.ts'
import { createDialler } from './outgoing/dial.ts'
import { enterTarget, factsOf, holdTarget, type NamedProcess, scopeOf } from './target.ts'
import { ListenerWatch } from './targets/own-listeners.ts'
import { podFiles } from './targets/pod-files.ts'
import { TargetWatch } from './watch.ts'

/** A tenth of what others get of a processor that is busy; it may always be raised (setpriority(2)). */
const niceness = 10

export type ServeOptions<L extends Listener> = Pick<ListenOptions, 'session' | 'publicKey' | 'graceMs'> & {
  named: NamedProcess
  /** Called before the target is entered: what listens belongs to the network namespace that we are in. */
  listen(options: ListenOptions): L | Promise<L>
  /** Makes of what a request failed with what the user should hear, where the agent runs. */
  explain?(thrown: unknown): unknown
}

/** Resolves when it listens and is in the target; whatever ends the service then ends the program. Fails with what entering fails with. */
export async function serve<L extends Listener>(options: ServeOptions<L>): Promise<L> {
  const { named, explain = thrown => thrown } = options
  // This thread, and those that it makes: where the processor is short, the target goes first and copies are lost.
  setPriority(niceness)
  const held = holdTarget(named)
  let answer: (value: unknown) => void = () => undefined
  const listener = await options.listen({
    session: options.session,
    publicKey: options.publicKey,
    graceMs: options.graceMs,
    onControl: value => answer(value),
    onOpen: (stream, payload) => dial(stream, payload),
    onAttached: () => undefined,
    onGone: reason => end(0, reason),
  })
  const tell = (event: AgentEvent) => sendEvent(listener, event)
  const files = podFiles(named, () => held.ended())
  const dial = createDialler(tell, files)
  const fixed = enterTarget(named)
  const watch = new TargetWatch({ held, listeners: new ListenerWatch(scopeOf(named)), tell })
  const sender = new Sender(opened => listener.endpoint.open(opened, { oneWay: true }))
  const mirror = lazyMirror(fixed.passesOn, {
    openStream: opened => sender.openStream(opened),
    onNotice: text => tell({ event: 'notice', level: 'warning', text }),
  })
  const counters = async (): Promise<CaptureCounters> => {
    const captured = await mirror().counters()
    return { ...captured, slow: sender.slow, unopened: captured.unopened + sender.unopened }
  }
  watchLosses({ counters, tell })
  answer = createAnswerer({
    facts: () => factsOf(named, fixed, watch.ports),
    mirror,
    counters,
    reply: value => listener.endpoint.control(value),
    end: () => end(0, 'the server asked for the end'),
    explain,
    log,
  })
  for (const text of fixed.notices) tell({ event: 'notice', level: 'warning', text })
  return listener
}

/** At once: the kernel closes what is open, and nothing of ours outlives the process. */
export function end(code: number, reason?: string): never {
  if (reason !== undefined) log(reason)
  return exitNow(code)
}

/** A session that mirrors nothing then needs no right to capture. */
function lazyMirror(passesOn: boolean, options: MirrorOptions): () => Mirror {
  let mirror: Mirror | undefined
  const open = () => {
    const all = openMirror(options)
    return passesOn ? ownTraffic(all, localAddresses) : all
  }
  return () => {
    mirror ??= open()
    return mirror
  }
}
