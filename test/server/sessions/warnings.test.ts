// What a user is warned of when a session has started: only what concerns what the session was asked for.
import assert from 'node:assert/strict'
import { Failure } from '../../../protocol/errors.ts'
import type { HookSupport } from '../../../server/processes/probe.ts'
import { warningsOf } from '../../../server/sessions/warnings.ts'

const failure = new Failure('hooks-unavailable', { reason: 'no seccomp', fix: 'Get it' })
const unhooked = { hooks: false, failure } as unknown as HookSupport
const facts = { target: { kind: 'process' as const }, ports: [], ownNetwork: false }

describe('warningsOf()', () => {
  it('tells of hooks where processes give or take traffic, and passes on what is known', () => {
    const known = ['one pod of two']
    const hooks = 'Cannot hook processes on this machine: no seccomp. Get it'
    const outgoing = warningsOf({ facts, support: unhooked, mirror: false, outgoing: { tcp: true }, known })
    assert.deepEqual(outgoing, ['one pod of two', hooks])
    const both = warningsOf({ facts, support: unhooked, mirror: true, outgoing: { tcp: true }, known: [] })
    assert.equal(both[0], hooks)
    assert.match(both[1]!, /listens on no TCP port yet/)
    assert.match(both[2]!, /shares this machine's network/)
  })

  it('is silent about them where forwards alone are wanted', () => {
    const known = ['one pod of two']
    const told = warningsOf({ facts, support: unhooked, mirror: false, outgoing: { tcp: false }, known })
    assert.deepEqual(told, known)
  })

  it('tells that a session without a target reaches no Unix sockets, if it names some', () => {
    const options = { support: unhooked, mirror: false, known: [] }
    const told = (kind: 'process' | 'targetless', unix?: string[]) =>
      warningsOf({
        ...options,
        facts: { ...facts, target: { kind } },
        outgoing: { tcp: false, ...(unix === undefined ? {} : { unix }) },
      })
    assert.match(told('targetless', ['docker'])[0]!, /has no Unix sockets/)
    assert.deepEqual([told('targetless'), told('process', ['docker'])], [[], []])
  })
})
