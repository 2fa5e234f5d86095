// Network namespaces for tests: starts them, joins two by a cable, runs programs inside, and ends everything, also after kill -9 of the test.
import { type ChildProcess, execFile, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'

const execFileAsync = promisify(execFile)
const readyWithinMs = 10_000

/** A network namespace with loopback up, held open by a process of its own. */
export type Namespace = {
  /** Pid of the holder, which only waits; a namespace can be named by it (`ip link set X netns PID`, `/proc/PID/ns/net`). */
  readonly pid: number
  /** Command to put before another so that it runs inside (with the rights to change this namespace) and dies with this test process. */
  readonly enter: readonly [string, ...string[]]
  /** Starts a program inside. It keeps the pid of the child that is returned; `end` kills it, and so does the death of this test process. */
  spawn(command: string, args: readonly string[], options?: SpawnOptions): ChildProcess
  /** Runs a program inside to its end and returns what it printed; rejects with its standard error if it fails. */
  run(command: string, ...args: string[]): Promise<string>
  /** Kills what `spawn` started and the holder, and waits until they are gone; the kernel then drops namespace and cables. */
  end(): Promise<void>
}

/** Addresses of both ends of a cable that `connectNamespaces` laid. */
export type Cable = {
  first: { device: string; ipv4: string; ipv6: string }
  second: { device: string; ipv4: string; ipv6: string }
}

/**
 * Starts a network namespace with loopback up. As root it stays in the user namespace of the test; otherwise it gets a fresh one, in
 * which it is root. Two namespaces can be joined by a cable only within one user namespace: name the first as `beside` of the second.
 * The holder exits when its standard input ends, which the kernel sees to however the test process dies.
 */
export async function startNamespace(options: { beside?: Namespace } = {}): Promise<Namespace> {
  const asRoot = process.getuid?.() === 0
  const flags = asRoot || options.beside ? ['--net'] : ['--net', '--user', '--map-root-user']
  const around = !asRoot && options.beside ? userEntry(options.beside.pid) : []
  // Every refusal of a datagram is told, where that may be set: by default the kernel says so to each neighbour once a second.
  const limits = '/proc/sys/net/ipv4/icmp_ratelimit /proc/sys/net/ipv6/icmp/ratelimit'
  const tellAll = `for limit in ${limits}; do [ ! -w $limit ] || echo 0 >$limit; done`
  const script = `ip link set lo up && ${tellAll} && echo ready && exec cat`
  const [command, ...args] = [...around, 'unshare', ...flags, '--', 'sh', '-c', script]
  const holder = spawn(command!, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  await untilReady(holder)
  return namespaceOf(holder, asRoot)
}

function userEntry(pid: number): string[] {
  return ['nsenter', '--target', String(pid), '--user', '--preserve-credentials', '--']
}

/** The program itself, not a launcher, must be the child: nsenter and setpriv both become what they start. */
function entry(pid: number, asRoot: boolean): [string, ...string[]] {
  const user = asRoot ? [] : ['--user', '--preserve-credentials']
  return ['nsenter', '--target', String(pid), ...user, '--net', '--', 'setpriv', '--pdeathsig', 'KILL', '--']
}

async function untilReady(holder: ChildProcess): Promise<void> {
  let complaint = ''
  holder.stderr?.on('data', text => {
    complaint += text
  })
  const ready = once(holder.stdout!, 'data').then(() => true)
  const ended = once(holder, 'close').then(() => false)
  const deadline = AbortSignal.timeout(readyWithinMs)
  const late = once(deadline, 'abort').then(() => false)
  if (await Promise.race([ready, ended, late])) return
  holder.kill('SIGKILL')
  throw new Error(
    `Cannot start namespace: its holder did not say "ready" within 10 s; it said "${complaint}"`,
  )
}

function namespaceOf(holder: ChildProcess, asRoot: boolean): Namespace {
  const pid = holder.pid!
  const enter = entry(pid, asRoot)
  const started = new Set<ChildProcess>([holder])
  const [command, ...before] = enter
  return {
    pid,
    enter,
    spawn(program, args, options = {}) {
      const child = spawn(command, [...before, program, ...args], options)
      started.add(child)
      child.once('exit', () => started.delete(child))
      return child
    },
    async run(program, ...args) {
      const { stdout } = await execFileAsync(command, [...before, program, ...args], { encoding: 'utf8' })
      return stdout
    },
    async end() {
      await Promise.all([...started].reverse().map(endChild))
    },
  }
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

/**
 * Lays a cable (a veth pair) between two namespaces of one user namespace and gives both ends addresses: 10.77.N.1 and fd77:N::1 at the
 * first, 10.77.N.2 and fd77:N::2 at the second (fd77::1 and fd77::2 if N is 0), device `cableN` at both. `number` tells several cables apart. Usable on return.
 */
export async function connectNamespaces(first: Namespace, second: Namespace, number = 0): Promise<Cable> {
  const device = `cable${number}`
  const peer = ['peer', 'name', device, 'netns', String(second.pid)]
  await first.run('ip', 'link', 'add', device, 'type', 'veth', ...peer)
  const ends = [first, second].map((namespace, index) => plugIn(namespace, device, number, index + 1))
  const [near, far] = await Promise.all(ends)
  await Promise.all([untilUp(first, device), untilUp(second, device)])
  return { first: near!, second: far! }
}

async function plugIn(namespace: Namespace, device: string, number: number, host: number) {
  const ipv4 = `10.77.${number}.${host}`
  const ipv6 = number === 0 ? `fd77::${host}` : `fd77:${number.toString(16)}::${host}`
  await namespace.run('ip', 'address', 'add', `${ipv4}/24`, 'dev', device)
  await namespace.run('ip', 'address', 'add', `${ipv6}/64`, 'dev', device, 'nodad')
  await namespace.run('ip', 'link', 'set', device, 'up')
  return { device, ipv4, ipv6 }
}

/** The kernel brings a cable up a moment after it is told to, and drops what is sent meanwhile: a first SYN would be a second late. */
async function untilUp(namespace: Namespace, device: string): Promise<void> {
  const deadline = Date.now() + readyWithinMs
  while (!(await namespace.run('ip', '-o', 'link', 'show', 'dev', device)).includes('state UP'))
    if (Date.now() > deadline) throw new Error(`Cannot connect namespaces: ${device} was not up within 10 s`)
}
