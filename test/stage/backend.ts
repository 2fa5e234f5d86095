// The real server over stdio for journeys: what an editor would start, with everything that it says kept for the test to look at.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { TypeOf } from 'io-ts'
import { type Connection, connect } from '../../clients/rpc/connection.ts'
import { programPath } from '../../protocol/programs.ts'
import {
  exit,
  initialize,
  initialized,
  logMessage,
  showMessage,
  shutdown,
} from '../../protocol/rpc/lifecycle.ts'
import { processExit, processOutput } from '../../protocol/rpc/processes.ts'
import { type Session, sessionStatus } from '../../protocol/rpc/sessions.ts'
import { type Lines, linesOf } from './lines.ts'

export type Exit = TypeOf<(typeof processExit)['params']>
export type Backend = {
  readonly child: ChildProcess
  readonly connection: Connection
  /** Output of launched processes, line by line, standard output and error apart. */
  output(processId: string, stream?: 'stdout' | 'stderr'): Lines
  /** Resolves with the process/exit of the process; rejects after `withinMs`. */
  exitOf(processId: string, withinMs?: number): Promise<Exit>
  readonly statuses: readonly Session[]
  untilStatus(what: string, matches: (session: Session) => boolean, withinMs?: number): Promise<Session>
  readonly messages: Lines
  /** shutdown and exit; rejects if the server does not end with code 0. */
  stop(): Promise<void>
}

/** Starts `standin serve --stdio` and initializes it; `through` is put before the command, to run it elsewhere. */
export async function startBackend(
  environment: NodeJS.ProcessEnv = process.env,
  through: readonly string[] = [],
): Promise<Backend> {
  const serve = [programPath('standin'), 'serve', '--stdio', '--log-level=debug']
  const [program, ...words] = [...through, process.execPath, ...serve]
  const child = spawn(program!, words, {
    stdio: ['pipe', 'pipe', process.env.STANDIN_TEST_LOG ? 'inherit' : 'ignore'],
    env: environment,
  })
  const connection = connect(child.stdout!, child.stdin!)
  const outputs = new Map<string, { lines: Lines; rest: string }>()
  const exits = new Map<string, Exit>()
  const marks = linesOf()
  const statuses: Session[] = []
  const messages = linesOf()
  const outputOf = (key: string) => {
    const known = outputs.get(key) ?? { lines: linesOf(), rest: '' }
    outputs.set(key, known)
    return known
  }
  connection.on(processOutput, ({ processId, stream, encoding, data }) => {
    const output = outputOf(`${processId} ${stream}`)
    const text = output.rest + (encoding === 'base64' ? Buffer.from(data, 'base64').toString('latin1') : data)
    const pieces = text.split('\n')
    output.rest = pieces.pop() ?? ''
    for (const piece of pieces) output.lines.add(piece)
  })
  connection.on(processExit, params => {
    exits.set(params.processId, params)
    marks.add(`exit ${params.processId}`)
  })
  connection.on(sessionStatus, status => {
    statuses.push(status)
    marks.add(`status ${statuses.length - 1}`)
  })
  connection.on(showMessage, ({ message }) => messages.add(message))
  connection.on(logMessage, ({ message }) => messages.add(message))
  await connection.request(initialize, { processId: process.pid, clientInfo: { name: 'journey' } })
  await connection.notify(initialized, {})
  return {
    child,
    connection,
    statuses,
    messages,
    output: (processId, stream = 'stdout') => outputOf(`${processId} ${stream}`).lines,
    async exitOf(processId, withinMs = 15_000) {
      await marks.until(`the exit of ${processId}`, line => line === `exit ${processId}`, withinMs)
      return exits.get(processId)!
    },
    async untilStatus(what, matches, withinMs = 15_000) {
      const line = await marks.until(
        what,
        mark => mark.startsWith('status ') && matches(statuses[Number(mark.slice(7))]!),
        withinMs,
      )
      return statuses[Number(line.slice(7))]!
    },
    async stop() {
      const ended = child.exitCode !== null ? Promise.resolve([child.exitCode]) : once(child, 'exit')
      await connection.request(shutdown, {})
      await connection.notify(exit, {})
      const [code, signal] = await ended
      if (code !== 0) throw new Error(`the server ended with code ${code}, signal ${signal}`)
    },
  }
}
