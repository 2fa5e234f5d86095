// What a supervisor says of a Unix socket as the session hears of it, and what the supervisor is told.
import assert from 'node:assert/strict'
import type { ToSupervisor } from '../../../protocol/hook/messages.ts'
import type { OutgoingCall } from '../../../server/outgoing/outgoing.ts'
import { ConnectTalk } from '../../../server/processes/connect-talk.ts'

const asked = {
  type: 'unixConnect',
  ...{ connection: 'unix.7.1', path: '/run/a.sock', rule: 'a pattern' },
  ...{ withinMs: 10, seqpacket: false, supervisor: 77 },
} as const

function stage({ connected = true } = {}) {
  const calls: OutgoingCall[] = []
  const sent: ToSupervisor[] = []
  const abandoned: [string, boolean][] = []
  const talk = new ConnectTalk(
    {
      connect: call => void calls.push(call),
      abandoned: (connection, { isOrphan }) => void abandoned.push([connection, isOrphan]),
    },
    message => {
      sent.push(message)
      return connected
    },
  )
  talk.take(asked)
  return { talk, sent, abandoned, call: calls[0]! }
}

describe('ConnectTalk of a Unix socket', () => {
  it('names the path where others have an address, and meets the supervisor', async () => {
    const { talk, sent, call } = stage()
    assert.deepEqual([call.to, call.rule], [{ address: '/run/a.sock', port: 0 }, 'a pattern'])
    const met = call.unix!.meet('place')
    talk.take({ type: 'known', connection: 'unix.7.1' })
    await met
    call.established()
    assert.deepEqual(sent, [
      { type: 'unixMeet', connection: 'unix.7.1', name: 'place' },
      { type: 'established', connection: 'unix.7.1' },
    ])
  })

  it('waits for no supervisor that is gone, and abandons what it asked for', async () => {
    const { talk, abandoned, call } = stage()
    const met = call.unix!.meet('place')
    talk.close()
    await met
    assert.deepEqual(abandoned, [['unix.7.1', true]])
    await stage({ connected: false }).call.unix!.meet('place')
  })

  it('refuses with an errno that Unix sockets have', () => {
    const { sent, call } = stage()
    call.refused('ECONNABORTED')
    call.refused('EACCES')
    assert.deepEqual(
      sent.map(message => 'errno' in message && message.errno),
      ['ECONNREFUSED', 'EACCES'],
    )
  })
})
