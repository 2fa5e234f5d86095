// One agent and the link to it: made together, ended together.
import { generateKeyPairSync } from 'node:crypto'
import type { AgentEvent } from '../../protocol/agent/control.ts'
import { object } from '../../protocol/codec.ts'
import { Failure } from '../../protocol/errors.ts'
import type { LinkStream } from '../../protocol/link/link-stream.ts'
import { orAborted, settledWithin } from '../deadline.ts'
import { connectLink, tryTimeoutMs } from '../link/connect.ts'
import type { Log } from '../log.ts'
import type { Agent, Found, OnStep, Tell } from '../targets/found.ts'
import { Narrator, told } from '../targets/narrate.ts'
import { AgentTalk } from './agent-talk.ts'
import type { Startup } from './startup.ts'

/** How long a link may be away before its streams are given up (DESIGN section 6). */
export const graceMs = 60_000
/** The agent waits until the server's last try, which begins at the end of that time, must have come or failed. */
const agentGraceMs = graceMs + tryTimeoutMs
const heartbeatMs = 5_000
/** What an agent takes to end itself over a slow link. */
const endRequestMs = 3_000
const nothing = object('Nothing', {})

export type AttachmentEvents = {
  event(event: AgentEvent): void
  open(stream: LinkStream, payload: unknown): void
  /** The link broke and is tried again, or is back. */
  reconnecting(reason: string, attempt: number): void
  running(): void
  /** The agent ended, or the link stayed away for the grace time. Not called after `end`. */
  lost(reason: string): void
}

export type Attachment = {
  readonly talk: AgentTalk
  /** A stream to the agent. */
  stream(payload: object): LinkStream
  end(reason: string): Promise<void>
}

/** Cancelled or failed at any point, nothing of it is left. */
export async function attach(options: {
  found: Found
  sessionId: string
  signal: AbortSignal
  log: Log
  tell: Tell
  events: AttachmentEvents
  onStep: OnStep
  /** Bounds all of it. */
  startup: Startup
}): Promise<Attachment> {
  const { found, onStep, signal, startup } = options
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const agent = await found.startAgent({ ...options, publicKey, privateKey, graceMs: agentGraceMs })
  const attachment = link(agent, { ...options, privateKey })
  try {
    const ended = agent.gone.then(reason => Promise.reject(new Failure('agent-failed', { reason })))
    const ready = Promise.race([attachment.ready, ended])
    const narrated = told(ready, new Narrator(onStep), 'link', () =>
      because('linking to the agent', attachment),
    )
    await orAborted(
      startup.within(narrated, () => because('its link could not be made', attachment)),
      signal,
    )
    attachment.open()
    return attachment
  } catch (thrown) {
    await attachment.end('the session could not start')
    throw thrown
  }
}

function because(what: string, { reason }: { reason: string | undefined }): string {
  return reason === undefined ? what : `${what}: ${reason}`
}

function link(
  agent: Agent,
  options: {
    sessionId: string
    privateKey: Parameters<typeof connectLink>[0]['privateKey']
    events: AttachmentEvents
  },
) {
  const { events } = options
  let over = false
  let opened = false
  const lose = (reason: string) => {
    if (over) return
    over = true
    talk.close(reason)
    connection.close(reason)
    if (opened) void agent.end().then(() => events.lost(reason))
  }
  /** If the link is down, the agent ends by itself after the grace time. */
  const askToEnd = () => {
    const ended = talk.ask({ ask: 'end' }, nothing)
    return settledWithin(Promise.race([ended, agent.gone, down.promise]), endRequestMs)
  }
  const down = deferred()
  const connection = connectLink({
    dial: signal => agent.dial(signal),
    session: options.sessionId,
    privateKey: options.privateKey,
    graceMs,
    heartbeatMs,
    onControl: value => talk.take(value),
    onOpen: (stream, payload) => events.open(stream, payload),
    onState(state) {
      if (state.state !== 'running') down.resolve()
      if (over || !opened) return
      if (state.state === 'running') events.running()
      else if (state.state === 'reconnecting') events.reconnecting(state.reason, state.attempt)
      else lose(state.reason)
    },
  })
  const talk = new AgentTalk({
    send: value => connection.endpoint.control(value),
    onEvent: event => events.event(event),
  })
  void agent.gone.then(lose)
  return {
    talk,
    ready: connection.ready,
    /** Why the link is not there. */
    get reason() {
      return connection.reason
    },
    stream: (payload: object) => connection.endpoint.open(payload),
    open() {
      opened = true
    },
    async end(reason: string) {
      over = true
      if (agent.mustBeAsked) await askToEnd()
      talk.close(reason)
      connection.close(reason)
      await agent.end()
    },
  }
}

function deferred(): { promise: Promise<void>; resolve(): void } {
  let resolve: () => void = () => {}
  const promise = new Promise<void>(done => {
    resolve = done
  })
  return { promise, resolve }
}
