// An agent that is delivered to the bootstrap of a container, which is a process of this machine here: what it serves, how it ends, what it needs.
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Failure } from '../../protocol/errors.ts'
import { frameMessage, Unframer } from '../../protocol/sequenced/frame.ts'
import { capabilities } from '../../server/kubernetes/agent/container.ts'
import { ended } from '../stage/agent-program.ts'
import {
  attachPod,
  type Bootstrap,
  killBootstraps,
  linkDelivered,
  type Marked,
  markAsContainer,
  startBootstrap,
} from '../stage/bootstrap.ts'
import { linesOf } from '../stage/lines.ts'
import { type Pod, programOf, startPod } from '../stage/pod.ts'

/** What the agent's container is given in a cluster, and no more: server/kubernetes/agent/container.ts. */
const kubernetesRights = rightsBut()
const stranger = '0'.repeat(64)

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const thrown = await work.then(
    () => assert.fail('it was delivered'),
    (error: unknown) => error,
  )
  assert.ok(thrown instanceof Failure, String(thrown))
  return thrown
}

/** All that the container has, but these. */
function rightsBut(...missing: string[]): string[] {
  const kept = capabilities.job.map(name => name.toLowerCase()).filter(name => !missing.includes(name))
  return ['setpriv', ['--bounding-set=-all', ...kept.map(name => `+${name}`)].join(), '--inh-caps=-all', '--']
}

/** In KiB: the pages that no other Node.js of the node shares. */
function anonymousMemory({ child }: Bootstrap): number {
  return Number(/^RssAnon:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1])
}

describe('an agent that is delivered to a bootstrap', () => {
  let pod: Pod
  let marked: Marked
  let folder: string
  before(async () => {
    pod = await startPod()
    marked = markAsContainer(pod.server.pid!)
  })
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'delivery-'))
  })
  afterEach(async () => {
    await killBootstraps()
    rmSync(folder, { recursive: true, force: true })
  })
  after(async () => {
    await pod.end()
    marked.end()
  })

  const start = (options: Parameters<typeof startBootstrap>[0] = {}) =>
    startBootstrap({
      through: kubernetesRights,
      ...options,
      environment: { ...process.env, TMPDIR: folder, ...options.environment },
    })
  const argvFor = (boot: Bootstrap, ...more: string[]) => attachPod(marked.container, boot.keys, ...more)
  const exitCode = async ({ child }: Bootstrap) => {
    await ended(child)
    return child.exitCode
  }

  it('tells what the process in the container is, by the id of that alone', async () => {
    const boot = await start()
    await boot.deliver(argvFor(boot))
    const agent = await linkDelivered(boot)
    const facts = await agent.ask({ ask: 'describe' })
    assert.deepEqual(facts.ports, [8080])
    assert.equal((facts.environment as Record<string, string>).SHOP_REGION, 'pod')
    assert.deepEqual(facts.addresses, [pod.cable.first.ipv4, pod.cable.first.ipv6])
    assert.equal(facts.ownNetwork, true)
    const { target, kind, name, pid } = facts.target as Record<string, unknown>
    assert.deepEqual(
      { target, kind, name, pid },
      { target: 'pod/shop', kind: 'pod', name: 'shop', pid: pod.server.pid },
    )
    agent.link.close('the test is over')
  })

  it("mirrors the container's callers, with its thread made from memory and no file left", async () => {
    const boot = await start()
    await boot.deliver(argvFor(boot))
    const agent = await linkDelivered(boot)
    await agent.ask({ ask: 'subscribe', ports: [8080], answers: 'none' })
    assert.deepEqual(await pod.call(20, 4).result, { answered: 20, wrong: 0, failed: 0, errors: [] })
    for (let n = 0; n < 4; n += 1) {
      const { opened } = await agent.streams.take('a mirrored connection', () => true)
      assert.deepEqual(opened.pod, { address: pod.cable.first.ipv4, port: 8080 })
    }
    assert.deepEqual(readdirSync(folder), [])
    const fds = `/proc/${boot.child.pid}/fd`
    const files = readdirSync(fds).map(fd => readlinkSync(join(fds, fd)))
    assert.equal(
      files.filter(file => file.includes('koffi.node')).join(),
      `${files.find(file => / \(deleted\)$/.test(file))}`,
    )
    agent.link.close('the test is over')
  })

  it('carries messages to a socket of the pod that keeps their boundaries, and back', async () => {
    const name = '@standin-test-delivered'
    const program = programOf('seqpacket-echo.py')
    const echo = pod.namespace.spawn('python3', [program, name], { stdio: ['ignore', 'pipe', 'inherit'] })
    await linesOf(echo.stdout).until('"listening"', line => line === 'listening')
    const boot = await start()
    await boot.deliver(argvFor(boot))
    const agent = await linkDelivered(boot)
    const stream = agent.link.endpoint.open({ dial: 'unix', path: name, seqpacket: true })
    const unframer = new Unframer()
    const heard = linesOf()
    const ends = new Promise<void>((end, fail) => {
      const data = ({ bytes }: { bytes: Buffer }) =>
        unframer.push(bytes).forEach(message => void heard.add(message.toString()))
      stream.events = { data, end, reset: reason => fail(new Error(reason)) }
    })
    await agent.said.take('the word on a dial', ({ stream: id }) => id === stream.id)
    for (const message of ['hello', '', 'again']) stream.write({ bytes: frameMessage(Buffer.from(message)) })
    stream.end()
    await ends
    assert.deepEqual(heard.all, ['hello', '', 'again', '3 messages'])
    agent.link.close('the test is over')
  })

  it('looks into a container that runs as another user', async () => {
    const program = programOf('hash-server.mjs')
    const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'] as const
    const other = await startPod({ command: [...asNobody, process.execPath, program, '8082', '::'] })
    const mark = markAsContainer(other.server.pid!)
    try {
      const boot = await start()
      await boot.deliver(attachPod(mark.container, boot.keys))
      const agent = await linkDelivered(boot)
      const facts = await agent.ask({ ask: 'describe' })
      assert.equal((facts.environment as Record<string, string>).SHOP_REGION, 'pod')
      assert.deepEqual(facts.ports, [8082])
      agent.link.close('the test is over')
    } finally {
      await other.end()
      mark.end()
    }
  })

  it("keeps listening where the bootstrap did, and not in the target's network namespace", async () => {
    const boot = await start()
    await boot.deliver(argvFor(boot))
    const inside = `require('net').connect(${boot.port}, '127.0.0.1').on('error', e => console.log(e.code)).on('connect', () => console.log('open'))`
    assert.equal((await pod.namespace.run(process.execPath, '-e', inside)).trim(), 'ECONNREFUSED')
    const agent = await linkDelivered(boot)
    agent.link.close('the test is over')
  })

  it('takes at most 16 MiB of its own more than the bootstrap did', async () => {
    const boot = await start()
    const before = anonymousMemory(boot)
    await boot.deliver(argvFor(boot))
    const agent = await linkDelivered(boot)
    await agent.ask({ ask: 'describe' })
    const more = anonymousMemory(boot) - before
    assert.ok(more < 16 << 10, `${more} KiB`)
    agent.link.close('the test is over')
  })

  describe('ends', () => {
    it('when the server asks for it over the link', async () => {
      const boot = await start()
      await boot.deliver(argvFor(boot))
      const agent = await linkDelivered(boot)
      agent.link.endpoint.control({ id: 1, ask: 'end' })
      assert.equal(await exitCode(boot), 0)
      agent.link.close('the test is over')
      assert.equal(boot.log.all.at(-1), 'the server asked for the end')
    })

    it('at SIGTERM', async () => {
      const boot = await start()
      await boot.deliver(argvFor(boot))
      boot.child.kill('SIGTERM')
      assert.equal(await exitCode(boot), 0)
    })

    it('when no server came within the grace time', async () => {
      const boot = await start()
      await boot.deliver(argvFor(boot, '--grace-ms', '300'))
      assert.equal(await exitCode(boot), 0)
      assert.equal(boot.log.all.at(-1), 'the server never connected')
    })

    it('when the server stays away longer than the grace time', async () => {
      const boot = await start()
      await boot.deliver(argvFor(boot, '--grace-ms', '300'))
      const agent = await linkDelivered(boot)
      agent.link.close('the test is over')
      assert.equal(await exitCode(boot), 0)
    })
  })

  it('tells when its target ends, and stays for what is on its way', async () => {
    const other = await startPod({ port: 8081 })
    const mark = markAsContainer(other.server.pid!)
    try {
      const boot = await start()
      await boot.deliver(attachPod(mark.container, boot.keys))
      const agent = await linkDelivered(boot)
      other.server.kill('SIGKILL')
      await agent.said.take('targetEnded', value => value.event === 'targetEnded')
      assert.equal((await agent.ask({ ask: 'describe' })).hostname !== undefined, true)
      agent.link.close('the test is over')
    } finally {
      await other.end()
      mark.end()
    }
  })

  describe('fails by name', () => {
    it('when the container has ended while its pod is still here', async () => {
      const boot = await start()
      const failure = await failureOf(
        boot.deliver(attachPod(stranger, boot.keys, '--pod-uid', marked.podUid)),
      )
      assert.equal(failure.kind, 'target-ended')
      assert.match(failure.message, /target "pod\/shop"/)
      assert.equal(await exitCode(boot), 1)
      assert.match(boot.log.all.join('\n'), /its process ended \(no process of container 0{64} among/)
    })

    it('on another node than the pod', async () => {
      const boot = await start()
      const uid = '00000000-0000-4000-8000-000000000000'
      const failure = await failureOf(boot.deliver(attachPod(stranger, boot.keys, '--pod-uid', uid)))
      assert.equal(
        failure.message,
        'Cannot start agent: it runs on another node than pod "shop", for no process of that is here',
      )
    })

    it('when it sees none but its own processes', async () => {
      const boot = await start({
        through: ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc', '--'],
      })
      const failure = await failureOf(boot.deliver(argvFor(boot)))
      assert.equal(failure.kind, 'agent-denied')
      assert.match(failure.message, /it sees none but|the agent sees none but its own container's processes/)
      assert.match(failure.data.fix, /hostPID/)
    })

    it('when its capabilities are missing, and says which', async () => {
      const boot = await start({
        through: ['setpriv', '--bounding-set=-sys_admin', '--inh-caps=-sys_admin', '--'],
      })
      const failure = await failureOf(boot.deliver(argvFor(boot)))
      assert.equal(
        failure.message,
        `Cannot look into pod "shop" from its node: EPERM when it tried to enter the network namespace of pid ${pod.server.pid}, for its container lacks CAP_SYS_ADMIN`,
      )
      assert.match(failure.data.fix, /agent\.security_context/)
    })

    it('when it runs as a user whom capabilities do not reach', async () => {
      const boot = await start({
        through: ['setpriv', '--reuid=65534', '--clear-groups', '--'],
        environment: { TMPDIR: '/tmp' },
      })
      const failure = await failureOf(boot.deliver(argvFor(boot)))
      assert.match(
        failure.message,
        /EACCES .*, for its container runs as user 65534, so that CAP_SYS_PTRACE has no effect$/,
      )
      assert.equal(failure.data.fix, 'Set agent.security_context to {"runAsUser":0,"runAsNonRoot":false}')
    })

    it('when a subscription is refused, as in a cluster and not as on this machine', async () => {
      const boot = await start({
        through: ['setpriv', '--bounding-set=-net_raw', '--inh-caps=-net_raw', '--'],
      })
      await boot.deliver(argvFor(boot))
      const agent = await linkDelivered(boot)
      const failure = await agent.refused({ ask: 'subscribe', ports: [8080], answers: 'none' })
      assert.equal(failure.kind, 'agent-denied')
      assert.match(String(failure.values.reason), /lacks CAP_NET_RAW$/)
      agent.link.close('the test is over')
    })
  })

  describe('needs of its container', () => {
    const inMounts = (...steps: string[]) => [
      ...['unshare', '--mount', '--', 'sh', '-c'],
      ...[`${steps.join(' && ')} && exec "$@"`, 'sh'],
    ]
    const withoutExec = ['/tmp', '/var/tmp', '/dev/shm', '/root'].map(
      place => `mount -t tmpfs -o noexec tmpfs ${place}`,
    )
    const readOnly = 'mount -o bind,remount,ro / && ! touch /refused 2>/dev/null'

    it('no variable of the environment', async () => {
      const boot = await startBootstrap({ through: ['env', '-i'] })
      await boot.deliver(argvFor(boot))
      const agent = await linkDelivered(boot)
      await agent.ask({ ask: 'subscribe', ports: [8080], answers: 'none' })
      agent.link.close('the test is over')
    })

    it('nothing but one folder that can be written and executed, under a root that cannot be written', async () => {
      const through = inMounts(...withoutExec, 'mount -t tmpfs -o exec tmpfs /mnt', readOnly)
      const boot = await start({ through, environment: { TMPDIR: '/mnt' } })
      await boot.deliver(argvFor(boot))
      const agent = await linkDelivered(boot)
      await agent.ask({ ask: 'subscribe', ports: [8080], answers: 'none' })
      agent.link.close('the test is over')
    })

    it('a folder that can be executed, and says which were tried and what to set when there is none', async () => {
      const through = inMounts(...withoutExec, readOnly, 'cd /')
      const boot = await start({ through, environment: { TMPDIR: '/dev/shm', HOME: '/nowhere' } })
      const failure = await failureOf(boot.deliver(argvFor(boot)))
      assert.equal(
        failure.message,
        'Cannot deliver agent: no folder of its container can hold a native library',
      )
      assert.match(failure.data.fix, /readOnlyRootFilesystem/)
      assert.match(
        failure.data.detail!,
        /\/dev\/shm: .*failed to map segment.*; \/tmp: .*; \/: EROFS; \/nowhere: ENOENT/,
      )
      assert.equal(await exitCode(boot), 1)
    })
  })
})
