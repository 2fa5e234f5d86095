// Signals every millisecond while a process sends and receives datagrams: none is lost, and none is sent twice.
import assert from 'node:assert/strict'
import { HookHarness } from '../../stage/hook-harness.ts'
import { leadHere } from '../../stage/lead-here.ts'
import { Outlets } from '../../stage/outlets.ts'

const count = 3_000
const rules = { tcp: true, udp: true, ignoreLocalhost: false }

for (const [kind, handlers] of [
  ['restart', 'handlers with SA_RESTART'],
  ['interrupt', 'handlers without SA_RESTART'],
] as const)
  describe(`a storm of signals with ${handlers}`, () => {
    leadHere('198.51.100.0/24')
    let harness: HookHarness
    const outlets = new Outlets()
    beforeEach(async () => {
      harness = await HookHarness.open()
    })
    afterEach(async () => {
      assert.deepEqual(await harness.close(), [])
      outlets.close()
    })

    const start = (way: string) => {
      const program = `${harness.programs}/datagrams-in-signal-storm.py`
      return harness.start(['/usr/bin/python3', program, way, kind, '198.51.100.7', '5300'], {
        outgoing: rules,
      })
    }

    it('loses no datagram that was received', async () => {
      const hooked = await start('receive')
      assert.equal(await hooked.output.until('the end', () => true, 60_000), 'lost 0 twice 0')
    })

    it('sends no datagram twice', async () => {
      const hooked = await start('send')
      const { socket } = await outlets.answer(hooked)
      const heard: string[] = []
      await new Promise<void>(done => {
        socket.on('message', said => (String(said) === 'end' ? done() : heard.push(String(said))))
      })
      assert.deepEqual([heard.length, new Set(heard).size], [count, count])
    })
  })
