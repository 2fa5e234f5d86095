// The client as the rest of the server sees it: where notifications go, and whether it keeps up with them.
import { logMessage, progress, showMessage } from '../../protocol/rpc/lifecycle.ts'
import type { NotificationMessage } from '../../protocol/rpc/message.ts'
import type { Log, LogLevel } from '../log.ts'
import { droppableBytes, type MessageWriter } from './writer.ts'

export type ProgressStep = { step: string; message: string }

export type Client = {
  notify<P>(message: NotificationMessage<P>, params: NoInfer<P>): void
  /** A sentence that the user should see. */
  show(level: 'warning' | 'info', message: string): void
  /** A line for the client's log and ours. */
  log(level: LogLevel, message: string): void
  /** Whether bulk must wait; `room` resolves when it need not any more. */
  readonly congested: boolean
  room(): Promise<void>
}

const messageTypes = { error: 1, warning: 2, info: 3, debug: 4 } as const

export function createClient(writer: MessageWriter, log: Log): Client {
  const notify: Client['notify'] = ({ method }, params) => writer.send({ jsonrpc: '2.0', method, params })
  return {
    notify,
    show(level, message) {
      log.write(level, message)
      notify(showMessage, { type: messageTypes[level], message })
    },
    log(level, message) {
      log.write(level, message)
      // A client that does not read loses log lines; what it must know is never sent this way.
      if (level === 'debug' || writer.pendingBytes > droppableBytes) return
      notify(logMessage, { type: messageTypes[level], message })
    },
    get congested() {
      return writer.congested
    },
    room: () => writer.room(),
  }
}

type Progress = { report(step: string, message: string): void; end(message: string): void }

/** Work-done progress of one request; silent when the request carried no token. */
export function beginProgress(client: Client, token: string | number | undefined, title: string): Progress {
  const beganAt = performance.now()
  const send = (value: Record<string, unknown>) => {
    if (token !== undefined) client.notify(progress, { token, value })
  }
  const elapsedMs = () => Math.round(performance.now() - beganAt)
  send({ kind: 'begin', title, cancellable: true, elapsedMs: 0 })
  return {
    report: (step, message) => send({ kind: 'report', step, message, elapsedMs: elapsedMs() }),
    end: message => send({ kind: 'end', message, elapsedMs: elapsedMs() }),
  }
}
