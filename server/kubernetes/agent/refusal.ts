// Why a cluster does not let an agent's Job, pod or ephemeral container be made, and the choice that would pass; pure.
import { Failure } from '../../../protocol/errors.ts'
import { StatusError } from '../client/api.ts'

export type Refused = {
  /** Of the object that was refused. */
  namespace: string
  ephemeral: boolean
  /** The agent has no target, and so no right that a policy might mind. */
  targetless?: boolean
}

/** `hopeless`: trying again will not help before somebody changes something. */
export type Refusal = { reason: string; fix: string; hopeless: boolean }

export function refusalFailure(refusal: Refusal, { namespace }: Refused, cause?: unknown): Failure {
  const { reason, fix, hopeless } = refusal
  const retryable = !hopeless
  return new Failure(
    'agent-refused',
    { namespace, reason, fix },
    cause === undefined ? { retryable } : { cause, detail: reason, retryable },
  )
}

/**
 * `text`: the API server's message, of an answer or of a FailedCreate event. The texts are those of Kubernetes' own admission plugins
 * (PodSecurity, ResourceQuota, LimitRanger, Priority, ServiceAccount), of webhooks and admission policies, and of OpenShift's SCC.
 */
export function refusalOf(text: string, refused: Refused): Refusal {
  const reason = shortened(withoutObject(text))
  const row = rows.find(({ pattern }) => pattern.test(text)) ?? other
  return { reason, fix: row.fix({ ...refused, text }), hopeless: row.hopeless }
}

/** The words of an answer that refuses an object; nothing when the cluster did not get so far. */
export function refusalText(thrown: unknown): string | undefined {
  if (thrown instanceof StatusError) return thrown.message
  if (!(thrown instanceof Failure) || thrown.kind !== 'cluster-failed') return undefined
  const { status, reason } = thrown.values
  const text = String(reason)
  // 400: a value of the configuration that is no value of the object. 500: so a webhook shows that does not answer.
  return status === 400 || /failed calling webhook/.test(text) ? text : undefined
}

/** A policy's text is the whole of the answer, so it may be long; some hold a page of advice. */
function shortened(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length <= longestReason ? line : `${line.slice(0, longestReason)}...`
}

const longestReason = 1_000

/** "Error creating: pods "standin-agent-x-y" is forbidden: exceeded quota: ..." is "exceeded quota: ...". */
function withoutObject(text: string): string {
  return text
    .replace(/^Error creating: /, '')
    .replace(/^\S+ "[^"]*" is (forbidden|invalid): /, '')
    .replace(/^(Internal error occurred: )/, '')
}

type Case = Refused & { text: string }
type Row = { pattern: RegExp; hopeless: boolean; fix(refused: Case): string }

const namesHost = /host ?(pid|ipc|network|namespaces?)|disallow-host/i
const namesCapabilities = /capabilit|SYS_ADMIN|SYS_PTRACE|NET_RAW|NET_ADMIN|run ?as ?(non)?root|runAsUser/i

const otherNamespace =
  'Set agent.namespace to a namespace that allows it, such as one made by "kubectl create namespace standin" and "kubectl label namespace standin pod-security.kubernetes.io/enforce=privileged"'

/**
 * An agent of another namespace may stand on the target's node just as well; an ephemeral container is bound to the target's, and what forbids
 * capabilities forbids it too.
 */
function elsewhere({ ephemeral, targetless }: Refused): string {
  if (targetless) return 'Leave agent.security_context out, without which the agent asks for no right'
  return ephemeral ? `Unset agent.ephemeral, and ${otherNamespace.replace(/^S/, 's')}` : otherNamespace
}

/** Without a target the namespace is the one whose network is wanted. */
function orIn(which: string, { targetless }: Refused): string {
  return targetless ? `take ${which} (-n)` : `set agent.namespace to ${which}`
}

/** What a policy says, not how it is called. */
function saying(text: string): string {
  return /(?:denied (?:the )?request|rejected the request)\b:?(.*)$/s.exec(text)?.[1] ?? text
}

function policyFix(refused: Case): string {
  const { ephemeral, targetless } = refused
  const text = saying(refused.text)
  if (namesHost.test(text) && !namesCapabilities.test(text) && !ephemeral && !targetless)
    return 'Set agent.ephemeral to true, which needs no hostPID'
  if (namesHost.test(text) || namesCapabilities.test(text)) return elsewhere(refused)
  if (/\blabels?\b/i.test(text)) return 'Set agent.labels to what it asks for'
  if (/\bannotations?\b/i.test(text)) return 'Set agent.annotations to what it asks for'
  if (/\b(limits?|requests?|resources?)\b/i.test(text)) return 'Set agent.resources to what it asks for'
  if (/\b(images?|registry|registries)\b/i.test(text)) return 'Set agent.image to one that it allows'
  return `Set what it asks for under "agent" in the configuration, or ${orIn('a namespace that it leaves alone', refused)}`
}

/** Of OpenShift, which gives each namespace users of its own to run as. */
function sccFix({ namespace, targetless }: Refused): string {
  return targetless
    ? 'Set agent.security_context to {"runAsUser": null, "runAsGroup": null}, so that the cluster chooses the user'
    : `Set agent.service_account to one with the privileged SCC ("oc adm policy add-scc-to-user privileged -z NAME -n ${namespace}")`
}

function capitalized(text: string): string {
  return text.replace(/^./, first => first.toUpperCase())
}

// biome-ignore format: a table is read row by row
const rows: readonly Row[] = [
  { pattern: /violates PodSecurity/, hopeless: true, fix: elsewhere },
  { pattern: /security context constraint/, hopeless: true, fix: sccFix },
  { pattern: /exceeded quota/, hopeless: false, fix: refused => `Free quota ("kubectl describe resourcequota -n ${refused.namespace}"), lower agent.resources, or ${orIn('another namespace', refused)}` },
  { pattern: /failed quota: .*must specify/, hopeless: true, fix: () => 'Set agent.resources with the requests and limits that it names' },
  { pattern: /(minimum|maximum) .* usage per|limit to request ratio/, hopeless: true, fix: ({ namespace }) => `Set agent.resources within the LimitRange ("kubectl describe limitrange -n ${namespace}")` },
  { pattern: /no PriorityClass/, hopeless: true, fix: () => 'Set agent.priority_class to one of "kubectl get priorityclasses"' },
  { pattern: /error looking up service account \S+\/default:/, hopeless: false, fix: ({ namespace }) => `Wait until namespace "${namespace}" has its service account "default"` },
  { pattern: /error looking up service account/, hopeless: true, fix: ({ namespace }) => `Set agent.service_account to one of "kubectl get serviceaccounts -n ${namespace}"` },
  { pattern: /failed calling webhook/, hopeless: false, fix: refused => `Mend the admission webhook that it names, or ${orIn('a namespace that it leaves alone', refused)}` },
  { pattern: /is being terminated|because it is being deleted/, hopeless: true, fix: refused => capitalized(orIn('a namespace that stays', refused)) },
  { pattern: /denied (the )?request|rejected the request|is forbidden|admission/i, hopeless: true, fix: policyFix },
  { pattern: /is invalid|Invalid value|unknown field|cannot be handled as|Unsupported value|strict decoding/, hopeless: true, fix: () => 'Correct the key under "agent" in the configuration that it names' },
]

const other: Row = {
  pattern: /^/,
  hopeless: false,
  fix: ({ namespace }) => `Look at "kubectl get events -n ${namespace}", and try again`,
}
