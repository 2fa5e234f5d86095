// How connections end, and what they meet when something has none left: as in the pod.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { launch, writeProcess } from '../../../protocol/rpc/processes.ts'
import { inPod, inSession } from '../../stage/compared.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { programOf } from '../../stage/pod.ts'
import { type Reaching, startReaching } from '../../stage/reaching.ts'

const mark = markRun()
const servicePort = 9000

describe('a connection of a process', () => {
  let reaching: Reaching
  let service: string
  before(async () => {
    reaching = await startReaching(mark.environment, [
      'python3',
      programOf('witness.py'),
      String(servicePort),
    ])
    service = reaching.pod.cable.second.ipv4
  })
  after(async () => {
    await reaching?.end()
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })

  it('ends as it would in the pod: SO_LINGER, unread bytes, half-closes, resets', async () => {
    const command = ['python3', programOf('ends.py'), service, String(servicePort)]
    const alone = await inPod(reaching, command)
    assert.deepEqual(
      alone.lines.filter(line => !line.includes('None')),
      [
        'cut: 4096 bytes, ECONNRESET',
        "deaf: heard b''; the peer: 100 bytes, end",
        'half_closed: after 100000; the peer: 100000 bytes, end',
        'reset: 0 bytes, ECONNRESET',
      ],
    )
    assert.deepEqual(await inSession(reaching, command), alone)
  })

  it('is no matter of sockets of other kinds: netlink, packet, vsock, raw, SCTP and more are as alone', async () => {
    const range = '/proc/sys/net/ipv4/ping_group_range'
    const before = readFileSync(range, 'utf8')
    writeFileSync(range, '0 2147483647')
    try {
      const command = ['python3', programOf('other-sockets.py')] as const
      const alone = execFileSync(command[0], command.slice(1), { encoding: 'utf8' }).split('\n')
      assert.ok(alone.includes("ping [b'\\x00', ('127.0.0.1', 0)]"), alone.join('\n'))
      const ours = await inSession(reaching, [...command])
      assert.deepEqual(ours.lines, alone.filter(line => line !== '').sort())
    } finally {
      writeFileSync(range, before)
    }
  })

  /** Connects when told to, and keeps what stands; each answer is an errno or "connected". */
  async function keeper() {
    const { backend, sessionId } = reaching
    const command = ['python3', programOf('keep-connections.py'), service, String(servicePort)]
    const { processId, pid } = await backend.connection.request(launch, { sessionId, command, stdin: 'pipe' })
    const output = backend.output(processId)
    let count = 0
    const say = async (word: 'connect' | 'close' | 'end'): Promise<string> => {
      await backend.connection.request(writeProcess, { processId, data: `${word}\n` })
      count += 1
      await output.untilCount('answers', count, () => true, 30_000)
      return output.all[count - 1]!
    }
    return { say, pid }
  }

  it('has EADDRNOTAVAIL when this machine has no port left to reach the relay by, and stands again afterwards', async () => {
    const path = '/proc/sys/net/ipv4/ip_local_port_range'
    const before = readFileSync(path, 'utf8')
    const { say } = await keeper()
    assert.equal(await say('connect'), 'connected')
    writeFileSync(path, '61000 61003')
    try {
      const answers: string[] = []
      for (let number = 0; number < 6; number++) answers.push(await say('connect'))
      assert.deepEqual([...new Set(answers)], ['connected', 'EADDRNOTAVAIL'])
    } finally {
      writeFileSync(path, before)
    }
    assert.equal(await say('connect'), 'connected')
    await say('end')
  })

  for (const { program, errno } of [
    { program: 'agent', errno: 'EMFILE' },
    { program: 'server', errno: 'ECONNABORTED' },
    { program: 'relay', errno: 'ECONNABORTED' },
    { program: 'hook', errno: 'ENETUNREACH' },
  ])
    it(`has an errno when the ${program} has no descriptor left, and stands again afterwards`, async () => {
      const { say, pid } = await keeper()
      assert.equal(await say('connect'), 'connected')
      const owner = processesOf(mark.value).find(
        one => one.program === program && (program !== 'hook' || isParent(one.pid, pid)),
      )!
      const limits = () =>
        execFileSync(
          'prlimit',
          ['--pid', String(owner.pid), '--nofile', '--output', 'SOFT', '--noheadings'],
          { encoding: 'utf8' },
        ).trim()
      const before = limits()
      const limit = (soft: string) =>
        execFileSync('prlimit', ['--pid', String(owner.pid), `--nofile=${soft}:`])
      limit('3')
      const answers: string[] = []
      try {
        // What it has ready still serves.
        for (let number = 0; number < 40 && answers.at(-1) !== errno; number++)
          answers.push(await say('connect'))
      } finally {
        limit(before)
      }
      assert.deepEqual([...new Set(['connected', ...answers])], ['connected', errno])
      assert.equal(await say('connect'), 'connected')
      await say('end')
    })
})

/** Whichever of its threads made it. */
const isParent = (parent: number, child: number): boolean =>
  readdirSync(`/proc/${parent}/task`).some(thread =>
    readFileSync(`/proc/${parent}/task/${thread}/children`, 'utf8').split(' ').includes(String(child)),
  )
