// Real programs of many kinds under the hooks: each connection is delivered once, with its caller's address and the pod's own.
import assert from 'node:assert/strict'
import { several } from '../../stage/callers.ts'
import { compile } from '../../stage/compile-programs.ts'
import { HookHarness, nobody } from '../../stage/hook-harness.ts'
import type { HookedCommand, Listener } from '../../stage/hooked-command.ts'
import { reportOf } from '../../stage/reports.ts'

const pod4 = '10.1.2.3'
const pod6 = 'fd00::3'
const python = '/usr/bin/python3'

type Row = {
  name: string
  /** The command; `folder` holds test/programs. */
  command(folder: string, port: string): readonly string[]
  ipv6?: true
  environment?: Record<string, string>
}
const c = (source: string, recipe: 'c' | 'c-static' | 'c-musl' = 'c') => ({
  command: (_: string, port: string) => [compile(source, recipe), port],
})
const py = (file: string) => ({
  command: (folder: string, port: string) => [python, `${folder}/${file}`, port],
})

const rows: readonly Row[] = [
  { name: 'Python that blocks in one accept', ...py('serve.py') },
  { name: 'Python whose threads block in accept', ...py('accept-in-threads.py') },
  { name: 'Python that forks after accept', ...py('fork-after-accept.py') },
  { name: 'a Python pre-fork server', ...py('accept-after-fork.py') },
  { name: 'Python asyncio', ...py('accept-in-asyncio.py') },
  {
    name: 'Python on an IPv6 address',
    command: (folder, port) => [python, `${folder}/serve.py`, port, '::'],
    ipv6: true,
  },
  { name: 'Node http', command: (folder, port) => [process.execPath, `${folder}/http-server.mjs`, port] },
  {
    name: 'Node cluster whose primary accepts',
    command: (folder, port) => [process.execPath, `${folder}/cluster-server.mjs`, port],
  },
  {
    name: 'Node cluster whose workers share the listener',
    command: (folder, port) => [process.execPath, `${folder}/cluster-server.mjs`, port],
    environment: { STANDIN_TEST_SCHEDULING: 'none' },
  },
  {
    name: 'Java NIO',
    command: (_, port) => [
      'java',
      '-Djava.net.preferIPv4Stack=true',
      '-cp',
      compile('nio-selector.java', 'java'),
      'NioSelector',
      port,
    ],
  },
  {
    name: 'Java NIO on a dual-stack socket',
    command: (_, port) => ['java', '-cp', compile('nio-selector.java', 'java'), 'NioSelector', port, '::'],
    ipv6: true,
  },
  { name: 'Go', command: (_, port) => [compile('goroutines.go', 'go'), port] },
  { name: 'static and stripped Go', command: (_, port) => [compile('goroutines.go', 'go-static'), port] },
  { name: 'dynamic C', ...c('accept.c') },
  { name: 'static C', ...c('accept.c', 'c-static') },
  { name: 'musl C', ...c('accept.c', 'c-musl') },
  { name: 'C with epoll, dup and accept4', ...c('accept4-epoll-dup.c') },
  { name: 'C that inherits its listener through exec', ...c('accept-after-exec.c') },
  { name: 'C that accepts in a child made by vfork', ...c('accept-after-vfork.c') },
  { name: 'C that passes listener and connections over a Unix socket', ...c('accept-passed-descriptor.c') },
]

describe('real programs under the hooks', () => {
  let harness: HookHarness
  let port = 8100
  for (const [who, owner, count] of [
    ['root', {}, 1000],
    ['an ordinary user', nobody, 100],
  ] as const) {
    describe(`as ${who}`, () => {
      beforeEach(async () => {
        harness = await HookHarness.open(owner)
      })
      afterEach(async () => {
        assert.deepEqual(await harness.close(), [], 'processes that "end" did not end')
      })
      for (const row of rows)
        it(`${row.name} takes ${count} connections, each once and with its caller`, async () => {
          const command = row.command(harness.programs, String(++port))
          const addresses = [pod4, pod6]
          const hooked = await harness.start(command, {
            ports: [port],
            addresses,
            environment: row.environment ?? {},
          })
          const listener = await hooked.listening(port)
          assert.deepEqual([listener.asked.port, listener.actual.port], [port, port])
          await deliverAll(hooked, listener, {
            count,
            ipv6: row.ipv6 === true,
            http: row.name.startsWith('Node'),
          })
        })
    })
  }
})

async function deliverAll(
  hooked: HookedCommand,
  listener: Listener,
  { count, ipv6, http }: { count: number; ipv6: boolean; http: boolean },
): Promise<void> {
  const caller = (n: number) => ({
    address: ipv6 ? `fd00::9:${(n + 1).toString(16)}` : `10.9.${n >> 8}.${n & 255}`,
    port: 30_000 + n,
  })
  const pod = { address: ipv6 ? pod6 : pod4, port: listener.asked.port }
  const reports = reportOf(hooked)
  await several(count, 32, async n => {
    const bytes = http ? `GET /${n} HTTP/1.1\r\nhost: pod\r\n\r\n` : String(n)
    const answer = await hooked.deliver(listener, { caller: caller(n), pod }, bytes)
    assert.ok(answer.endsWith(`ok ${n}`), `connection ${n} was answered ${JSON.stringify(answer)}`)
  })
  const lines = await reports(count)
  for (let n = 0; n < count; n++) {
    const seen = lines.get(String(n))
    assert.equal(seen?.length, 1, `connection ${n} was reported ${seen?.length ?? 0} times`)
    const { accepted, peer, name } = seen![0]!
    const expected = caller(n)
    assert.deepEqual(peer, expected, `getpeername of connection ${n}`)
    if (accepted !== undefined) assert.deepEqual(accepted, expected, `accept of connection ${n}`)
    assert.deepEqual(name, pod, `getsockname of connection ${n}`)
  }
  assert.equal([...lines.values()].flat().length, count, 'reports in all')
}
