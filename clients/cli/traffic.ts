// standin traffic: attaches to a target without a command and shows its requests until Ctrl-C.

import { Failure } from '../../protocol/errors.ts'
import { stopSession } from '../../protocol/rpc/sessions.ts'
import { maxBodyBytes, stopTraffic, streamTraffic } from '../../protocol/rpc/traffic.ts'
import { isTargetless } from '../../protocol/targetless.ts'
import { attachUntil } from './attach-until.ts'
import { ask } from './client.ts'
import { attachParams, portList } from './exec-options.ts'
import { creditEvents, followTraffic, type TrafficReader } from './follow-traffic.ts'
import { reporterFor } from './reporter.ts'
import { type SessionOptions, wholeNumber } from './session-options.ts'
import { cut } from './table.ts'
import { tell } from './tell.ts'
import { trafficHeader, trafficRows } from './traffic-rows.ts'
import { sessionEnd, stopRequests } from './until-stopped.ts'

export type TrafficOptions = SessionOptions & {
  ports?: string
  bodies?: string
  output: 'table' | 'json'
  quiet?: boolean
  verbose?: boolean
}

const help = 'standin help traffic'

function bodyBytesOf(text: string): number {
  const bytes = wholeNumber(text, '--bodies', help)
  if (bytes <= maxBodyBytes) return bytes
  throw new Failure('usage-wrong', { reason: `--bodies takes at most ${maxBodyBytes}, not "${text}"`, help })
}

export async function traffic(options: TrafficOptions): Promise<number> {
  const ports = options.ports === undefined ? undefined : portList(options.ports, help)
  const bodyBytes = options.bodies === undefined ? undefined : bodyBytesOf(options.bodies)
  const { verbose = false, quiet = false } = options
  if (isTargetless(options.target)) throw new Failure('nothing-arrives', {})
  const json = options.output === 'json'
  const reporter = await reporterFor({ json, quiet, verbose })
  return ask({ what: 'traffic', verbose, quiet, json, reporter }, async connection => {
    const stop = stopRequests()
    const ended = sessionEnd(connection)
    const params = attachParams(options, process.cwd(), { feature: { env: false } })
    const sessionId = await attachUntil(stop.signal, connection, params, { reporter, quiet, json })
    if (sessionId === undefined) return 0
    const screen = screenFor(options)
    const trafficId = await connection.request(streamTraffic, {
      sessionId,
      credit: creditEvents,
      directions: ['incoming'],
      ...(ports === undefined ? {} : { ports }),
      ...(bodyBytes === undefined ? {} : { bodyBytes }),
    })
    followTraffic(connection, trafficId.trafficId, screen)
    const reason = await Promise.race([
      stop.asked.then(() => undefined),
      ended,
      connection.closed.then(() => {
        throw new Failure('server-ended', { what: 'traffic' })
      }),
    ])
    screen.settle()
    if (reason !== undefined) tell({ event: 'notice', level: 'warning', message: reason }, { json })
    // Both may find that the session is gone already.
    await connection.request(stopTraffic, trafficId).catch(() => {})
    await connection.request(stopSession, { sessionId }).catch(() => {})
    return reason === undefined ? 0 : 1
  })
}

type Screen = TrafficReader & { settle(): void }

function screenFor(options: TrafficOptions): Screen {
  return options.output === 'json' ? jsonScreen() : tableScreen()
}

function jsonScreen(): Screen {
  return {
    show: line => void process.stdout.write(`${JSON.stringify(line)}\n`),
    flush() {},
    settle() {},
  }
}

/** Rows that scroll, and on a terminal a last line that counts. */
function tableScreen(): Screen {
  const { stdout } = process
  const state = trafficRows()
  let lost = 0
  let text = ''
  const clear = () => (stdout.isTTY ? '\r\x1b[K' : '')
  const status = () => {
    if (!stdout.isTTY) return ''
    const { requests, open } = state.counts()
    const line = `${requests} requests, ${open} open connections, ${lost} events lost; Ctrl-C ends`
    return cut(line, stdout.columns) // a second line would not be cleared
  }
  stdout.write(`${trafficHeader}\n${status()}`)
  return {
    show(line) {
      if (line.event === 'dropped') lost += line.count
      else
        text += state
          .rows(line, stdout.columns)
          .map(row => `${row}\n`)
          .join('')
      if (line.event === 'dropped' && !stdout.isTTY)
        process.stderr.write(`standin: ${line.count} events were lost\n`)
    },
    flush() {
      stdout.write(`${clear()}${text}${status()}`)
      text = ''
    },
    settle() {
      if (stdout.isTTY) stdout.write('\n')
    },
  }
}
