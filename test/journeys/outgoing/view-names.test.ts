// What the live view shows of names that a process looks up: the question, who answered and what, by either way to ask, and that there was no answer.
import assert from 'node:assert/strict'
import type { SessionConfig } from '../../../protocol/config.ts'
import type { LookedUp } from '../../../protocol/rpc/outgoing-events.ts'
import { streamTraffic, trafficEvents } from '../../../protocol/rpc/traffic.ts'
import { inSession } from '../../stage/compared.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { linesOf } from '../../stage/lines.ts'
import { startNamedPod, suffix } from '../../stage/named-pod.ts'

const mark = markRun()
const rule = 'no filter keeps it here'
const key = 'feature.network.dns.filter.local'

/** The events of the questions that a command asks, so many of them. */
async function lookedUp(
  commands: readonly string[][],
  count: number,
  options: Parameters<typeof startNamedPod>[1] = {},
): Promise<{ seen: LookedUp[]; web: string }> {
  const pod = await startNamedPod(mark.environment, options)
  try {
    const { backend, sessionId } = pod
    const seen: LookedUp[] = []
    const marks = linesOf()
    backend.connection.on(trafficEvents, ({ events }) => {
      for (const event of events)
        if (event.event === 'lookedUp') {
          seen.push(event)
          marks.add(event.name)
        }
    })
    const wish = { sessionId, credit: 100, directions: ['outgoing' as const] }
    await backend.connection.request(streamTraffic, wish)
    for (const command of commands) await inSession(pod, command)
    await marks.untilCount('questions', count, () => true, 30_000)
    return { seen, web: pod.pod.cable.second.ipv4 }
  } finally {
    await pod.end()
  }
}
const brief = ({ name, type, where, protocol, code, reason, addresses }: LookedUp) =>
  [name, type, where, protocol, code ?? reason ?? 'none', ...addresses].join(' ')
const python = (code: string) => ['python3', '-c', `import socket\n${code}`]

describe('a view of names', () => {
  after(() => untilNothing('processes of standin', () => processesOf(mark.value)))

  it('shows each question of getaddrinfo and of dig, with what the nameserver answered and how long it took', async () => {
    const commands = [
      python('socket.getaddrinfo("web", 80, socket.AF_INET)'),
      ['dig', '+short', '+tries=1', `none.${suffix}`, 'A', `_http._tcp.web.${suffix}`, 'SRV'],
    ]
    const { seen, web } = await lookedUp(commands, 3)
    assert.deepEqual(seen.map(brief), [
      `web.${suffix} A pod tcp NOERROR ${web}`,
      `none.${suffix} A pod udp NXDOMAIN`,
      `_http._tcp.web.${suffix} SRV pod udp NOERROR`,
    ])
    for (const { nameserver, rule: said, durationMs } of seen) {
      assert.deepEqual([nameserver, said], [{ address: web, port: 53 }, rule])
      assert.ok(durationMs > 0 && durationMs < 30_000, String(durationMs))
    }
    assert.equal(seen[2]!.records, 1)
  })

  it('shows which names this machine answered, by which entry, and from which file', async () => {
    const feature: SessionConfig['feature'] = { network: { dns: { filter: { local: ['localhost'] } } } }
    const commands = [
      ['dig', '+short', '+tries=1', 'localhost', 'A', `web.${suffix}`, 'A'],
      ['dig', '+short', '+tries=1', '+tcp', 'localhost', 'A'],
    ]
    const { seen, web } = await lookedUp(commands, 3, { config: { feature } })
    assert.deepEqual(seen.map(brief), [
      'localhost A here udp NOERROR 127.0.0.1',
      `web.${suffix} A pod udp NOERROR ${web}`,
      'localhost A here tcp NOERROR 127.0.0.1',
    ])
    const own = [`entry "localhost" of ${key}`, '/etc/hosts']
    assert.deepEqual(
      seen.map(({ rule, file }) => [rule, file]),
      [own, [`no entry of ${key} matches`, undefined], own],
    )
  })

  it('shows that a nameserver does not answer, or is not there', async () => {
    const ask = python(`
try: socket.getaddrinfo("web.example.test.", 80, socket.AF_INET)
except OSError as error: print(error)`)
    const silent = await lookedUp([ask], 1, { nameserver: 'silent', options: 'timeout:1 attempts:1' })
    assert.equal(brief(silent.seen[0]!), 'web.example.test A pod tcp ETIMEDOUT')
    assert.ok(silent.seen[0]!.durationMs >= 900)
    const absent = await lookedUp([ask], 1, { nameserver: 'absent' })
    assert.equal(brief(absent.seen[0]!), 'web.example.test A pod tcp ECONNREFUSED')
  })

  it('shows a question by datagram whose answer its process did not wait for', async () => {
    const dig = ['dig', '+tries=1', '+time=1', `web.${suffix}`, 'A']
    const { seen } = await lookedUp([dig], 1, { nameserver: 'silent' })
    assert.equal(brief(seen[0]!), `web.${suffix} A pod udp none`)
  })
})
