// Reads what a user calls a target: "process/PID" or "container/NAME".
import { Failure } from '../../protocol/errors.ts'

export type TargetName =
  | { kind: 'process'; text: string; pid: number }
  | { kind: 'container'; text: string; name: string }

/** Names and ids that docker, podman and containerd allow; none begins with a dash, so none can pass for an option of their commands. */
const containerName = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,252}$/

/** Throws `target-invalid`. */
export function parseTargetName(text: string): TargetName {
  const slash = text.indexOf('/')
  if (slash < 0) throw invalid(text, 'it has no "/"')
  const kind = text.slice(0, slash)
  const name = text.slice(slash + 1)
  if (kind === 'process') {
    const pid = Number(name)
    if (!/^\d{1,10}$/.test(name) || pid < 1) throw invalid(text, `"${name}" is not a pid`)
    return { kind, text, pid }
  }
  if (kind === 'container') {
    if (!containerName.test(name)) throw invalid(text, `"${name}" is not a name of a container`)
    return { kind, text, name }
  }
  throw invalid(text, `"${kind}" is not a kind of target on this machine`)
}

function invalid(target: string, reason: string): Failure {
  return new Failure('target-invalid', { target, reason })
}
