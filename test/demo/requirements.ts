// What the demo needs of this machine, and one sentence for what is missing.
import { execFileSync } from 'node:child_process'
import { release } from 'node:os'

/** Undefined when the demo can run here, else what is missing and how to get it. */
export function missing(): string | undefined {
  if (process.platform !== 'linux')
    return `The demo needs Linux (this is ${process.platform}): run it in a virtual machine, in WSL 2, or in a Linux container.`
  if (!atLeast(release(), 5, 14))
    return `The demo needs Linux 5.14 or newer (this is ${release()}): update the kernel.`
  const absent = ['unshare', 'nsenter', 'setpriv', 'ip'].filter(program => !runs(program, '--version', '-V'))
  if (absent.length > 0)
    return `The demo needs ${absent.join(', ')}: install util-linux and iproute2 ("apt install util-linux iproute2").`
  const asRoot = process.getuid?.() === 0
  if (asRoot && !runs('unshare', '--net', 'true'))
    return 'The demo needs the right to make network namespaces, which this container lacks: run it with "--cap-add SYS_ADMIN --cap-add NET_ADMIN", or outside of the container.'
  if (!asRoot && !runs('unshare', '--user', '--map-root-user', '--net', 'true'))
    return 'The demo needs user namespaces, which this system forbids to ordinary users: run it as root ("sudo npm run demo"), or allow them ("sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0" on Ubuntu, "sudo sysctl user.max_user_namespaces=10000" elsewhere).'
  return undefined
}

/** Whether a kernel release such as "6.8.0-45-generic" is that version or newer. */
export function atLeast(kernel: string, major: number, minor: number): boolean {
  const [first = 0, second = 0] = kernel.split('.').map(part => Number.parseInt(part, 10))
  return first > major || (first === major && second >= minor)
}

/** Whether a program can be run with one of these arguments. */
function runs(program: string, ...args: string[]): boolean {
  const tries = program === 'unshare' && args[0] !== '--version' ? [args] : args.map(arg => [arg])
  return tries.some(given => {
    try {
      execFileSync(program, given, { stdio: 'ignore', timeout: 5_000 })
      return true
    } catch {
      return false
    }
  })
}
