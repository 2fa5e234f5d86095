// standin forward: attaches to a target without a command, and keeps ports open until Ctrl-C.
import type { ForwardLine } from '../../protocol/cli-output.ts'
import { Failure } from '../../protocol/errors.ts'
import type { ListeningAt, PodEnd } from '../../protocol/rpc/port-ends.ts'
import { forwardPort, reversePort } from '../../protocol/rpc/ports.ts'
import { stopSession } from '../../protocol/rpc/sessions.ts'
import { isTargetless } from '../../protocol/targetless.ts'
import type { Connection } from '../rpc/connection.ts'
import { attachUntil } from './attach-until.ts'
import { ask } from './client.ts'
import { attachParams } from './exec-options.ts'
import { type ForwardSpec, forwardSpec, type ReverseSpec, refuseTwice, reverseSpec } from './forward-spec.ts'
import { reporterFor } from './reporter.ts'
import type { SessionOptions } from './session-options.ts'
import { printable } from './table.ts'
import { tell } from './tell.ts'
import { sessionEnd, stopRequests } from './until-stopped.ts'

export type ForwardOptions = SessionOptions & {
  reverse?: string[]
  output: 'text' | 'json'
  quiet?: boolean
  verbose?: boolean
}

type Wanted = { forwards: ForwardSpec[]; reverses: ReverseSpec[] }

/** The process's own features are nobody's here, and nothing of them is prepared. */
const features = { feature: { env: false, network: { incoming: 'off', outgoing: false } } } as const

export async function forward(words: readonly string[], options: ForwardOptions): Promise<number> {
  const wanted = wantedOf(words, options.reverse ?? [])
  // Also what only the configuration says is refused, but by the server, which has made an agent by then.
  if (wanted.reverses.length > 0 && isTargetless(options.target)) throw new Failure('nothing-arrives', {})
  const { verbose = false, quiet = false } = options
  const json = options.output === 'json'
  const reporter = await reporterFor({ json, quiet, verbose })
  return ask({ what: 'forward', verbose, quiet, json, reporter }, async connection => {
    const stop = stopRequests()
    const ended = sessionEnd(connection, ({ sessionId, state, reason, attempt }) => {
      if (!stop.signal.aborted) reporter.report({ event: 'session', sessionId, state, reason, attempt })
    })
    const params = attachParams(options, process.cwd(), features)
    const sessionId = await attachUntil(stop.signal, connection, params, { reporter, quiet, json })
    if (sessionId === undefined) return 0
    await openAll(connection, sessionId, wanted, line => show(line, json))
    const reason = await Promise.race([
      stop.asked.then(() => undefined),
      ended,
      connection.closed.then(() => {
        throw new Failure('server-ended', { what: 'forward' })
      }),
    ])
    if (reason !== undefined) tell({ event: 'notice', level: 'warning', message: reason }, { json })
    // It may be gone already.
    await connection.request(stopSession, { sessionId }).catch(() => {})
    return reason === undefined ? 0 : 1
  })
}

function wantedOf(words: readonly string[], reverse: readonly string[]): Wanted {
  const forwards = words.map(word => forwardSpec(word, process.cwd()))
  const reverses = reverse.map(reverseSpec)
  refuseTwice(forwards, reverses)
  if (forwards.length + reverses.length > 0) return { forwards, reverses }
  throw new Failure('usage-wrong', {
    reason: 'nothing is to be forwarded; write LOCAL:HOST:PORT, as in 5432:postgres:5432',
    help: 'standin help forward',
  })
}

/** One after the other, so that their lines have the order of the command line; the first that fails ends all. */
async function openAll(
  connection: Connection,
  sessionId: string,
  { forwards, reverses }: Wanted,
  say: (line: ForwardLine) => void,
): Promise<void> {
  for (const { local, remote } of forwards) {
    const made = await connection.request(forwardPort, { sessionId, local, remote })
    say({ event: 'forwarding', ...made, remote })
  }
  for (const spec of reverses) {
    const { portId } = await connection.request(reversePort, { sessionId, ...spec })
    say({ event: 'mirroring', portId, ...spec })
  }
}

function show(line: ForwardLine, json: boolean): void {
  process.stdout.write(`${json ? JSON.stringify(line) : forwardText(line)}\n`)
}

/** As kubectl port-forward says it. */
export function forwardText(line: ForwardLine): string {
  const [from, to] =
    line.event === 'forwarding'
      ? [`Forwarding from ${localText(line.local)}`, podText(line.remote)]
      : [`Mirroring port ${line.podPort} of the target`, `127.0.0.1:${line.localPort}`]
  return printable(`${from} -> ${to}`)
}

function localText(local: ListeningAt): string {
  return 'path' in local ? local.path : `${local.address}:${local.port}`
}

function podText(remote: PodEnd): string {
  if ('path' in remote) return remote.path
  if (remote.host === 'localhost') return String(remote.port)
  return remote.host.includes(':') ? `[${remote.host}]:${remote.port}` : `${remote.host}:${remote.port}`
}
