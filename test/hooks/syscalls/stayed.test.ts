// What is told of what stays on this machine: nothing while nobody looks, each connection, and of datagrams each address once.
import assert from 'node:assert/strict'
import { takeOutgoing } from '../../../hooks/syscalls/connect.ts'
import { tellStayed } from '../../../hooks/syscalls/stayed.ts'
import type { World } from '../../../hooks/syscalls/world.ts'
import type { OutgoingRules } from '../../../protocol/hook/messages.ts'

const rule = 'something listens there'
const to = (port: number) => ({ address: '127.0.0.1', port })

describe('tellStayed()', () => {
  function stage() {
    const told: string[] = []
    const world = {
      toldDatagrams: new Map(),
      tell: (message: { type: string; protocol: string; to: { port: number } }) =>
        void told.push(`${message.type} ${message.protocol} ${message.to.port}`),
    } as unknown as World
    const look = (watched: boolean) => {
      const rules: OutgoingRules = { tcp: true, udp: true, ignoreLocalhost: false, watched }
      takeOutgoing({ type: 'outgoing', rules }, world)
    }
    return { told, world, look }
  }

  it('tells nothing while nobody looks', () => {
    const { told, world, look } = stage()
    look(false)
    tellStayed({ protocol: 'tcp', to: to(80), rule }, world)
    tellStayed({ protocol: 'udp', to: to(80), rule }, world)
    assert.deepEqual(told, [])
  })

  it('tells of each connection, and once of an address that datagrams go to', () => {
    const { told, world, look } = stage()
    look(true)
    for (const port of [80, 80, 81]) {
      tellStayed({ protocol: 'tcp', to: to(port), rule }, world)
      tellStayed({ protocol: 'udp', to: to(port), rule }, world)
    }
    assert.deepEqual(told, [
      'stayed tcp 80',
      'stayed udp 80',
      'stayed tcp 80',
      'stayed tcp 81',
      'stayed udp 81',
    ])
  })

  it('tells of an address again to whoever looks later, and of none without a port, which asks for a route', () => {
    const { told, world, look } = stage()
    for (const watched of [true, false, true]) {
      look(watched)
      tellStayed({ protocol: 'udp', to: to(80), rule }, world)
      tellStayed({ protocol: 'udp', to: to(0), rule }, world)
    }
    assert.deepEqual(told, ['stayed udp 80', 'stayed udp 80'])
  })
})
