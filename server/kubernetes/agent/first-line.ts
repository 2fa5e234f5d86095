// Reads one line of a connection, bounded in length and time; what came behind it stays for the next reader.
import type { Duplex } from 'node:stream'
import { Failure } from '../../../protocol/errors.ts'

export type LineOptions = {
  maxBytes: number
  timeoutMs: number
  signal: AbortSignal
  /** What has not happened when the time is over, as "its bootstrap did not greet". */
  missing: string
}

/** Without its end. Rejects with `agent-undeliverable`, or with the signal's reason. */
export function firstLine(connection: Duplex, options: LineOptions): Promise<string> {
  const { maxBytes, timeoutMs, signal, missing } = options
  return new Promise((resolve, reject) => {
    let pending: Buffer = Buffer.alloc(0)
    let fault: Error | undefined
    const onData = (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk])
      const end = pending.indexOf(10)
      if (end > maxBytes || (end < 0 && pending.length > maxBytes))
        return fail(`its container sent a line of more than ${maxBytes} bytes`)
      if (end < 0) return
      finish()
      connection.pause()
      if (pending.length > end + 1) connection.unshift(pending.subarray(end + 1))
      resolve(pending.toString('utf8', 0, end))
    }
    const onError = (error: Error) => {
      fault = error
    }
    const onClose = () => fail('the connection to its container closed', fault)
    const onAbort = () => {
      finish()
      reject(signal.reason)
    }
    const slow = () => fail(`${missing} within ${Math.round(timeoutMs / 1_000)} s`)
    const timer = setTimeout(slow, timeoutMs)
    const finish = () => {
      clearTimeout(timer)
      connection.off('data', onData).off('end', onClose).off('close', onClose).off('error', onError)
      signal.removeEventListener('abort', onAbort)
    }
    const fail = (reason: string, cause?: Error) => {
      finish()
      const fix = "Start the session again; if it stays, look at the log of the agent's container"
      reject(new Failure('agent-undeliverable', { reason, fix }, cause === undefined ? {} : { cause }))
    }
    connection.on('data', onData).on('end', onClose).on('close', onClose).on('error', onError)
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
    else if (connection.destroyed) onClose()
    else connection.resume()
  })
}
