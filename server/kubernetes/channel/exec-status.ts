// How a command ended, as the error channel of an exec says it; pure.

/** `message` when no exit code is known: the command could not be started, or its container went away. */
export type Exit = { code: number } | { message: string }

/** meta/v1 Status, as far as it is read. Source: k8s.io/kubelet, pkg/cri/streaming/remotecommand/exec.go. */
type Status = {
  status?: string
  reason?: string
  message?: string
  details?: { causes?: { reason?: string; message?: string }[] }
}

/** A command that a signal ended has 128 and the signal's number as its code, as in a shell; undefined for what is no Status. */
export function exitOf(text: string): Exit | undefined {
  const status = parse(text)
  if (status?.status === 'Success') return { code: 0 }
  if (status?.status !== 'Failure') return undefined
  const said = status.details?.causes?.find(({ reason }) => reason === 'ExitCode')?.message
  const code = Number(said)
  if (status.reason === 'NonZeroExitCode' && said !== undefined && Number.isInteger(code)) return { code }
  return { message: status.message ?? status.reason ?? 'the cluster gave no reason' }
}

function parse(text: string): Status | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
