// What the demo needs of this machine, and one sentence for what is missing.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { release } from 'node:os'
import { probeHooks } from '../../server/processes/probe.ts'

/** The rights that root needs for the demo, with their bits (capabilities(7)). Hooks need SYS_PTRACE where a container's seccomp profile asks for it. */
const rights = { SYS_ADMIN: 21, NET_ADMIN: 12, NET_RAW: 13 } as const
const wholeContainer = '"--cap-add SYS_ADMIN --cap-add NET_ADMIN --cap-add NET_RAW --cap-add SYS_PTRACE"'
const userNamespaces =
  'run it as root ("sudo npm run demo"), or allow them ("sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0" on Ubuntu, "sudo sysctl user.max_user_namespaces=10000" elsewhere)'

/** Undefined when the demo can run here, else what is missing and how to get it. */
export async function missing(): Promise<string | undefined> {
  if (process.platform !== 'linux')
    return `The demo needs Linux (this is ${process.platform}): run it in a virtual machine, in WSL 2, or in a Linux container.`
  if (!atLeast(release(), 5, 14))
    return `The demo needs Linux 5.14 or newer (this is ${release()}): update the kernel.`
  if (!atLeast(process.versions.node, 20, 11))
    return `The demo needs Node.js 20.11 or newer (this is ${process.versions.node}): install it from https://nodejs.org.`
  const absent = ['unshare', 'nsenter', 'setpriv', 'ip'].filter(
    program => failureOf([program, '-V']) !== undefined,
  )
  if (absent.length > 0)
    return `The demo needs ${absent.join(', ')}: install util-linux and iproute2 ("apt install util-linux iproute2").`
  return missingNamespaces() ?? (await missingHooks())
}

function missingNamespaces(): string | undefined {
  const asRoot = process.getuid?.() === 0
  const lacking = asRoot ? lackingRights(readFileSync('/proc/self/status', 'utf8')) : []
  if (lacking.length > 0)
    return `The demo needs the right ${lacking.join(' and ')}, which root lacks here: run this container with ${wholeContainer}, or the demo outside of it.`
  const unshare = ['unshare', ...(asRoot ? [] : ['--user', '--map-root-user']), '--net']
  const refused = failureOf([...unshare, 'true'])
  if (refused !== undefined)
    return asRoot
      ? `The demo needs to make network namespaces, which is forbidden here (${refused}): run this container with ${wholeContainer} and "--security-opt seccomp=unconfined", or the demo outside of it.`
      : `The demo needs user namespaces, which this system forbids to ordinary users (${refused}): ${userNamespaces}.`
  const noCable = failureOf([...unshare, 'ip', 'link', 'add', 'near', 'type', 'veth', 'peer', 'name', 'far'])
  if (noCable !== undefined)
    return `The demo needs virtual network cables, which this kernel does not give (${noCable}): load their module ("sudo modprobe veth").`
  return undefined
}

/** Those of the rights that this process does not have, by its /proc/PID/status (proc(5)). */
export function lackingRights(status: string): string[] {
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`)
  return Object.entries(rights).flatMap(([name, bit]) =>
    (effective >> BigInt(bit)) & 1n ? [] : [`CAP_${name}`],
  )
}

/** The hooks' own answer: their program tries on itself what it does to others. */
async function missingHooks(): Promise<string | undefined> {
  const answer = await probeHooks(new AbortController().signal)
  return answer.hooks ? undefined : sentenceOf(answer.failure.message, answer.failure.data.fix)
}

/** A failure of standin's and its fix as the demo says it. */
export function sentenceOf(message: string, fix: string): string {
  const what = fix.replace(/^[A-Z](?=[a-z ])/, first => first.toLowerCase())
  return `${message.replace(/^Cannot/, 'The demo cannot')}; ${what}.`
}

/** Whether a version such as "6.8.0-45-generic" is that one or newer. */
export function atLeast(version: string, major: number, minor: number): boolean {
  const [first = 0, second = 0] = version.split('.').map(part => Number.parseInt(part, 10))
  return first > major || (first === major && second >= minor)
}

/** What a command says when it fails, in a line; undefined when it works. */
function failureOf([program, ...args]: readonly string[]): string | undefined {
  try {
    execFileSync(program!, args, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8', timeout: 5_000 })
    return undefined
  } catch (thrown) {
    const { stderr, message } = thrown as Error & { stderr?: string }
    return (stderr?.trim() || message).split('\n').at(-1)
  }
}
