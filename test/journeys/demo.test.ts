// The demo as a newcomer runs it: in a fresh checkout it proves its claims as root and as an ordinary user, and where it can't, one sentence says why.
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { watchLeftovers } from '../demo/leave.ts'
import { podLooksSlower, prove } from '../demo/prove.ts'
import { claimsOf } from '../demo/summary.ts'
import { buildTown, label } from '../demo/town.ts'
import { processesOf, runMark, socketsOfStandin, untilNothing } from '../stage/leftovers.ts'
import { linesOf } from '../stage/lines.ts'
import { startNamespace } from '../stage/namespace.ts'
import { programOf } from '../stage/pod.ts'

const { EPERM } = constants.errno
const nobody = 65_534
const asNobody = ['setpriv', '--reuid', `${nobody}`, '--regid', `${nobody}`, '--clear-groups', '--']
const unshareCall = process.arch === 'arm64' ? 97 : 272
const pidfdGetfd = 438
const without = (call: number) => [
  'python3',
  resolve('test/stage/without-call.py'),
  String(call),
  String(EPERM),
]
/** Finds what a run of the demo started, whatever mark the demo itself uses. */
const runVariable = 'STANDIN_DEMO_JOURNEY'

const networkOf = (pid: number) => readlinkSync(`/proc/${pid}/ns/net`)

type Run = { lines: string[]; errors: string; code: number | null }

describe('the demo', function () {
  this.timeout(600_000)
  const folder = mkdtempSync(join(tmpdir(), 'demo-'))
  const runs = new Set<string>()
  before(() => chmodSync(folder, 0o755))
  after(() => rmSync(folder, { recursive: true, force: true }))
  afterEach(async () => {
    for (const mark of runs) await untilNothing('processes', () => processesOf(mark, runVariable))
    await untilNothing('sockets', socketsOfStandin)
    runs.clear()
  })

  /** A checkout without dist/, and a home without caches, that belong to a user. */
  function freshCheckout(user: number): { checkout: string; environment: NodeJS.ProcessEnv } {
    const home = join(folder, String(user))
    const checkout = join(home, 'standin')
    mkdirSync(home)
    const left = new Set(['node_modules', 'dist', '.git'])
    cpSync('.', checkout, { recursive: true, filter: path => !left.has(basename(path)) })
    symlinkSync(resolve('node_modules'), join(checkout, 'node_modules'))
    for (const path of [home, checkout]) chownSync(path, user, user)
    return { checkout, environment: { HOME: home, XDG_CACHE_HOME: join(home, 'cache') } }
  }

  async function run(
    command: readonly string[],
    options: { cwd?: string; environment?: NodeJS.ProcessEnv } = {},
  ): Promise<Run> {
    const mark = randomUUID()
    runs.add(mark)
    const child: ChildProcess = spawn(command[0]!, command.slice(1), {
      cwd: options.cwd ?? '.',
      env: { ...process.env, ...options.environment, [runVariable]: mark },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const lines = linesOf(child.stdout)
    const errors = linesOf(child.stderr)
    const code = await new Promise<number | null>(done => child.on('close', done))
    return { lines: [...lines.all], errors: errors.all.join('\n'), code }
  }

  const users: [string, number, string[]][] = [
    ['root', 0, []],
    ['an ordinary user', nobody, asNobody],
  ]
  for (const [name, user, through] of users)
    it(`proves its claims in a fresh checkout to ${name}, or says that this system forbids user namespaces to ordinary users`, async () => {
      const { checkout, environment } = freshCheckout(user)
      const { lines, errors, code } = await run([...through, 'npm', 'run', '--silent', 'demo'], {
        cwd: checkout,
        environment,
      })
      const said = lines.join('\n')
      if (user !== 0 && !mayUnshare(through))
        return assertSentence({ lines, errors, code }, /user namespaces/)
      assert.equal(code, 0, `${said}\n${errors}`)
      assert.equal(errors, '', 'the build fetches nothing')
      const proofs = lines.filter(line => line.startsWith('✔'))
      for (const proof of [
        /the pod answered every caller: [1-9]\d* requests, 0 wrong or lost/,
        /the second shop got ([1-9]\d*) of the \1 requests of its rounds, exactly once/,
        /environment of the pod: SHOP_REGION=Aachen/,
        /the pod answered no slower than before/,
        /nothing is left behind: no process, no namespace, no socket, no file/,
      ])
        assert.ok(
          proofs.some(line => proof.test(line)),
          `${proof} in ${said}`,
        )
      const shown = lines.filter(line => /GET \/(\w+)\/\d+ +from 10\.77\.0\.1\d:\d+ +\(\1\)$/.test(line))
      assert.equal(shown.length, 12, said)
      assert.match(said, /^ {2}\.\.\. and \d+ more$/m)
    })

  function mayUnshare(through: readonly string[]): boolean {
    const [program, ...args] = [...through, 'unshare', '--user', '--map-root-user', '--net', 'true']
    try {
      execFileSync(program!, args, { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  }

  function assertSentence({ lines, errors, code }: Run, says: RegExp): void {
    assert.equal(code, 1, errors)
    assert.equal(errors, '')
    assert.equal(lines.length, 1, lines.join('\n'))
    assert.match(lines[0]!, says)
    assert.match(lines[0]!, /^The demo [^.].*\.$/)
  }

  const main = [process.execPath, '--import', 'tsx', 'test/demo/main.ts']
  const lacking: [string, string[], RegExp][] = [
    [
      'the container lacks SYS_PTRACE, so that its profile forbids to copy descriptors',
      without(pidfdGetfd),
      /^The demo cannot hook processes on this machine: .* forbidden here; start this container with "--cap-add SYS_PTRACE"\.$/,
    ],
    [
      'root lacks NET_ADMIN',
      ['setpriv', '--bounding-set', '-net_admin', '--'],
      /needs the right CAP_NET_ADMIN, which root lacks here: run this container with ".*--cap-add NET_ADMIN/,
    ],
    [
      'root may not unshare',
      without(unshareCall),
      /needs to make network namespaces, which is forbidden here \(unshare: .*\): run this container with/,
    ],
    [
      'an ordinary user may not unshare',
      [...without(unshareCall), ...asNobody],
      /needs user namespaces, which this system forbids to ordinary users \(unshare: .*\): run it as root/,
    ],
    [
      'programs are missing',
      ['env', 'PATH=/nowhere'],
      /needs unshare, nsenter, setpriv, ip: install util-linux and iproute2/,
    ],
  ]
  for (const [what, through, says] of lacking)
    it(`says what to do in one sentence when ${what}`, async () => {
      assertSentence(await run([...through, ...main]), says)
    })

  it('finds a namespace that somebody still holds at the end', async () => {
    const mark = process.env[runMark]
    const watch = watchLeftovers()
    const namespace = await startNamespace()
    const [program, ...entry] = namespace.enter
    await namespace.run('ip', 'address', 'add', label(), 'dev', 'lo')
    watch.look()
    const holder = spawn(program, [...entry, 'sleep', '60'], {
      stdio: 'ignore',
      env: { PATH: process.env.PATH },
    })
    try {
      const inside = () => holder.exitCode === null && networkOf(holder.pid!) === networkOf(namespace.pid)
      await untilNothing('the way into the namespace', () => (inside() ? [] : ['outside']))
      await namespace.end()
      assert.match((await watch.untilNone(200))!, /^namespaces remained .*"net:\[\d+\]"/)
    } finally {
      const gone = new Promise(done => holder.once('exit', done))
      holder.kill('SIGKILL')
      await gone
      if (mark === undefined) delete process.env[runMark]
      else process.env[runMark] = mark
    }
    assert.equal(await watch.untilNone(), undefined)
  })

  it('fails its claim when the pod answers more slowly with a stand-in', async () => {
    const town = await buildTown({ shop: programOf('slow-on-request.cjs') })
    const { process: shop } = town.pod
    try {
      const proof = await prove(town, {
        standing: () => void shop.kill('SIGUSR2'),
        gone: () => void shop.kill('SIGUSR1'),
      })
      assert.deepEqual(proof.sets.map(podLooksSlower), [true, true])
      const failed = claimsOf({ ...proof, left: undefined, seconds: 0 }).filter(({ holds }) => !holds)
      assert.deepEqual(
        failed.map(({ text }) => text.split(',')[0]),
        ['the pod answered more slowly with standin than without'],
      )
    } finally {
      await town.end()
    }
  })
})
