// Signals every few hundred microseconds while connections come in: none is lost, none is delivered twice.
import assert from 'node:assert/strict'
import { several } from '../../stage/callers.ts'
import { compile } from '../../stage/compile-programs.ts'
import { HookHarness, nobody } from '../../stage/hook-harness.ts'
import { reportOf } from '../../stage/reports.ts'

const connections = 2_000

for (const [who, owner] of [
  ['root', {}],
  ['an ordinary user', nobody],
] as const)
  describe(`a storm of signals on a process of ${who}`, () => {
    let harness: HookHarness
    let port = 9500
    beforeEach(async () => {
      harness = await HookHarness.open(owner)
    })
    afterEach(async () => {
      assert.deepEqual(await harness.close(), [], 'processes that "end" did not end')
    })

    for (const [kind, handlers] of [
      ['restart', 'handlers with SA_RESTART'],
      ['interrupt', 'handlers without SA_RESTART'],
    ] as const)
      for (const [mode, how] of [
        ['threads', 'four threads that block in accept'],
        ['nonblocking', 'four threads that poll before each accept'],
        ['poll', 'one thread that blocks in accept, and polls first after EINTR'],
      ] as const)
        it(`with ${handlers} on ${how} delivers ${connections} connections, each once`, async () => {
          const command = [compile('accept-in-signal-storm.c', 'c'), String(++port), '0.0.0.0', kind, mode]
          const hooked = await harness.start(command, { ports: [port] })
          const listener = await hooked.listening(port)
          const pod = { address: '10.1.2.3', port }
          const caller = (n: number) => ({ address: `10.9.${n >> 8}.${n & 255}`, port: 30_000 + n })
          await several(connections, 8, async n => {
            const answer = await hooked.deliver(listener, { caller: caller(n), pod }, String(n))
            assert.equal(answer, `ok ${n}`)
          })
          const reports = await reportOf(hooked)(connections)
          for (let n = 0; n < connections; n++) {
            const seen = reports.get(String(n)) ?? []
            assert.deepEqual(seen, [{ id: String(n), accepted: caller(n), peer: caller(n), name: pod }])
          }
          assert.equal([...reports.values()].flat().length, connections, 'reports in all')
        })

    it('makes no bind twice: the call that a signal had ended finds it done', async () => {
      const command = [compile('bind-in-signal-storm.c', 'c'), String(++port), '10.1.2.3', '3000']
      const hooked = await harness.start(command, { ports: [port], addresses: ['10.1.2.3'] })
      assert.equal(await hooked.output.until('the end', () => true, 60_000), 'bound 3000')
    })
  })
