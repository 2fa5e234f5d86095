// Turns what the cluster says about a channel into a failure of ours; pure.
import { Failure } from '../../../protocol/errors.ts'
import { StatusError } from '../client/api.ts'

/** The failure of a dial: what the API server answered about the pod; failures of reaching the cluster stay what they are. */
export function refusal(error: unknown, what: { verb: string; pod: string; namespace: string }): unknown {
  if (!(error instanceof StatusError)) return error
  const { verb, pod, namespace } = what
  const reason =
    error.status === 404 ? `there is no such pod in namespace "${namespace}"` : sentence(error.message)
  return new Failure('channel-failed', { verb, pod, reason }, { cause: error })
}

/** Why a port-forward ended; undefined when the pod's program closed it. The server's own text says more than the WebSocket's end. */
export function connectionFault(facts: {
  pod: string
  port: number
  fault: string | undefined
  text: string
}): Failure | undefined {
  const { pod, port, fault, text } = facts
  if (text === '' && fault === undefined) return undefined
  const reason = text === '' ? fault! : forwardReason(text, port)
  const verb = `forward port ${port} of`
  return new Failure('channel-failed', { verb, pod, reason }, text === '' ? {} : { detail: text })
}

/** The kubelet's and container runtime's error texts in our words; those we do not know are told as they are. */
export function forwardReason(text: string, port: number): string {
  if (/connection refused/i.test(text)) return `nothing listens on port ${port} in it`
  if (/connection reset by peer/i.test(text)) return 'its program reset the connection'
  return sentence(text)
}

/** One line without a full stop. */
function sentence(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim().replace(/\.$/, '')
  return line.length > 300 ? `${line.slice(0, 300)}...` : line
}
