// Turns what the cluster says about a channel into a failure of ours; pure.
import { Failure } from '../../../protocol/errors.ts'
import { StatusError } from '../client/api.ts'

export type Subject = { verb: string; pod: string; namespace: string }

/**
 * The failure of an opening: what the API server answered about this pod. That it cannot be reached or refuses the user stays what it is.
 * The texts are of Kubernetes 1.34: registry/core/pod/strategy.go, kubelet/server, apimachinery util/proxy.
 */
export function refusal(error: unknown, subject: Subject): unknown {
  const said = statusOf(error)
  if (said === undefined) return error
  const { verb, pod } = subject
  return new Failure('channel-failed', { verb, pod, reason: refusalReason(said, subject) }, { cause: error })
}

function statusOf(error: unknown): { status: number; message: string } | undefined {
  if (error instanceof StatusError) return { status: error.status, message: error.message }
  if (error instanceof Failure && error.kind === 'cluster-failed')
    return { status: Number(error.values.status), message: String(error.values.reason) }
  return undefined
}

function refusalReason({ status, message }: { status: number; message: string }, subject: Subject): string {
  const missing = status === 404 ? /"([^"]*)" not found/.exec(message)?.[1] : undefined
  if (missing === subject.pod) return `there is no such pod in namespace "${subject.namespace}"`
  if (missing !== undefined) return `its node "${missing}" is gone`
  if (/does not have a host assigned/.test(message)) return 'it is on no node yet'
  if (/pod not found|pod does not exist/.test(message)) return 'it does not run on its node'
  const backend = /error dialing backend: (.*)/.exec(message)?.[1]
  if (backend !== undefined) return `the cluster cannot reach its node (${sentence(backend)})`
  return sentence(message)
}

/** Why a port-forward ended; undefined when the pod's program closed it. The server's own text says more than the WebSocket's end. */
export function connectionFault(facts: {
  pod: string
  port: number
  fault: string | undefined
  text: string
}): Failure | undefined {
  const { pod, port, fault, text } = facts
  const verb = `forward port ${port} of`
  if (text !== '')
    return new Failure('channel-failed', { verb, pod, reason: forwardReason(text, port) }, { detail: text })
  return fault === undefined ? undefined : new Failure('channel-failed', { verb, pod, reason: fault })
}

/** The kubelet's and container runtime's error texts in our words; those we do not know are told as they are. */
export function forwardReason(text: string, port: number): string {
  if (/connection refused/i.test(text)) return `nothing listens on port ${port} in it`
  if (/connection reset by peer|broken pipe/i.test(text)) return 'its program reset the connection'
  return sentence(text)
}

/** One line without a full stop. */
export function sentence(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim().replace(/\.$/, '')
  return line.length > 300 ? `${line.slice(0, 300)}...` : line
}
