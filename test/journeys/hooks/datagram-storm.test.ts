// Signals every millisecond while a process sends and receives datagrams: none is lost, and none is sent twice, but in the very moment of an answer.
import assert from 'node:assert/strict'
import { HookHarness } from '../../stage/hook-harness.ts'
import { leadHere } from '../../stage/lead-here.ts'
import { Outlets } from '../../stage/outlets.ts'

const count = 3_000
/**
 * The kernel takes our answer and ends the call for a signal all the same, where the thread was on its way out already (seccomp_do_user_notification):
 * it was seen once in some 50,000 calls on a busy machine. Without what is kept for such calls there are 30 and more in 3,000.
 */
const inThatMoment = 5
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
      const end = await hooked.output.until('the end', () => true, 60_000)
      const [, lost, twice] = /^lost (\d+) twice (\d+)$/.exec(end) ?? []
      assert.ok(Number(lost) <= inThatMoment && twice === '0', end)
    })

    it('sends no datagram twice', async () => {
      const hooked = await start('send')
      const { socket } = await outlets.answer(hooked)
      const heard: string[] = []
      await new Promise<void>(done => {
        socket.on('message', said => (String(said) === 'end' ? done() : heard.push(String(said))))
      })
      assert.equal(new Set(heard).size, count)
      assert.ok(heard.length <= count + inThatMoment, `${heard.length} datagrams`)
    })
  })
