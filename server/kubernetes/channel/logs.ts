// Reads what a container of a pod has written, as Kubernetes kept it.
import type { IncomingMessage } from 'node:http'
import { Failure } from '../../../protocol/errors.ts'
import { type Api, apiPath, type Query } from '../client/api.ts'
import { refusal, sentence } from './explain.ts'
import { LogLines } from './log-lines.ts'

/** So much of a log is read when nothing is asked: its beginning, or with `tailLines` of these. */
const defaultLimitBytes = 1 << 20

export type LogOptions = {
  namespace: string
  pod: string
  container: string
  /** Only the last so many lines. */
  tailLines?: number
  /** At most so many bytes from there on; default 1 MiB. */
  limitBytes?: number
  /** Of the container that ran before the last restart. */
  previous?: boolean
  signal: AbortSignal
}

/** The log as it is. Rejects with `channel-failed` (no such pod, container not started, its logs are gone), `cancelled` or a `Failure` of the cluster. */
export async function readLog(api: Api, options: LogOptions): Promise<string> {
  const limitBytes = options.limitBytes ?? defaultLimitBytes
  const response = await open(api, options, { limitBytes })
  const chunks: Buffer[] = []
  for await (const chunk of read(response, options)) chunks.push(chunk)
  const log = Buffer.concat(chunks).toString()
  if (kubeletsRefusal.test(log))
    throw new Failure('channel-failed', subject(options.pod, 'the node has removed it'))
  return log
}

/** The kubelet's answer, as if it were the log, when the container's files are gone; source: kubelet/kuberuntime/kuberuntime_container.go. */
const kubeletsRefusal = /^unable to retrieve container logs for \S+$/

/**
 * The lines of the log as they come, without their ends, until the container ends or the signal aborts (which ends it without an error).
 * Lines over 64 KiB come in pieces. Rejects as `readLog`, also when the connection breaks; a container that restarts has another log.
 */
export async function* followLog(
  api: Api,
  options: Omit<LogOptions, 'limitBytes' | 'previous'>,
): AsyncGenerator<string, void, undefined> {
  const lines = new LogLines()
  try {
    const response = await open(api, options, { follow: true })
    for await (const chunk of read(response, options)) yield* lines.read(chunk)
    yield* lines.end()
  } catch (error) {
    if (!options.signal.aborted) throw error
  }
}

async function open(api: Api, options: LogOptions, query: Query): Promise<IncomingMessage> {
  const { namespace, pod, container, tailLines, previous, signal } = options
  try {
    return await api.stream({
      path: apiPath('/api/v1/namespaces', namespace, 'pods', pod, 'log'),
      query: { container, tailLines, previous, ...query },
      signal,
      asks: { verb: 'get', resource: 'pods/log', namespace },
    })
  } catch (error) {
    throw signal.aborted ? cancelled(pod) : refusal(error, { verb: 'read the log of', pod, namespace })
  }
}

async function* read(response: IncomingMessage, { pod, signal }: LogOptions): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of response) yield chunk as Buffer
  } catch (error) {
    if (signal.aborted) throw cancelled(pod)
    const reason = sentence(`the connection broke (${(error as Error).message})`)
    throw new Failure('channel-failed', subject(pod, reason), { cause: error })
  } finally {
    response.destroy()
  }
}

function subject(pod: string, reason: string) {
  return { verb: 'read the log of', pod, reason }
}

function cancelled(pod: string): Failure {
  return new Failure('cancelled', { what: `reading the log of pod ${pod}` })
}
