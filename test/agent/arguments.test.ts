// The agent's command line, as parseInvocation reads it.
import assert from 'node:assert/strict'
import { parseInvocation } from '../../agent/arguments.ts'
import type { Failure } from '../../protocol/errors.ts'

function reasonOf(...argv: string[]): unknown {
  try {
    parseInvocation(argv)
  } catch (error) {
    assert.equal((error as Failure).kind, 'usage-wrong')
    return (error as Failure).values.reason
  }
  return undefined
}

const attach = ['attach', 'process/7', '--pid', '7', '--start-time', '99', '--session', 's1', '--key', 'AAAA']

describe('parseInvocation()', () => {
  it('reads each verb', () => {
    assert.deepEqual(parseInvocation(['list']), { verb: 'list', kinds: ['process', 'container'], name: '' })
    const few = parseInvocation(['list', '--kinds', 'process', '--name', 'node'])
    assert.deepEqual(few, { verb: 'list', kinds: ['process'], name: 'node' })
    assert.deepEqual(parseInvocation(['resolve', 'process/7']), { verb: 'resolve', target: 'process/7' })
    assert.deepEqual(parseInvocation(['probe', '7']), { verb: 'probe', pid: 7 })
    assert.deepEqual(parseInvocation([...attach, '--grace-ms', '500']), {
      verb: 'attach',
      target: 'process/7',
      pid: 7,
      startTime: '99',
      session: 's1',
      key: 'AAAA',
      graceMs: 500,
    })
  })

  it('reads the arguments that are delivered into a pod', () => {
    const service = ['--session', 's1', '--key', 'AAAA', '--grace-ms', '500']
    const container = 'a'.repeat(64)
    const read = { session: 's1', key: 'AAAA', graceMs: 500, verb: 'attach-pod', container, pod: 'shop' }
    const least = ['attach-pod', container, '--pod', 'shop', ...service]
    assert.deepEqual(parseInvocation(least), { ...read, podUid: undefined, ephemeral: false })
    assert.deepEqual(parseInvocation([...least, '--pod-uid', 'u1', '--ephemeral']), {
      ...read,
      podUid: 'u1',
      ephemeral: true,
    })
    assert.equal(reasonOf('attach-pod', container, ...service), '--pod is missing')
    assert.equal(reasonOf('attach-pod', 'web', ...service), '"web" is not an id of a container')
  })

  it('reads those of an agent without a target', () => {
    const service = ['--session', 's1', '--key', 'AAAA', '--grace-ms', '500']
    const read = { verb: 'attach-own', session: 's1', key: 'AAAA', graceMs: 500 }
    assert.deepEqual(parseInvocation(['attach-own', ...service]), read)
    assert.equal(reasonOf('attach-own', 'shop', ...service), '"shop" is one word too many')
    assert.equal(reasonOf('attach-own', ...service.slice(2)), '--session is missing')
  })

  it('says what is wrong', () => {
    assert.equal(reasonOf(), '"nothing" is not a verb')
    assert.equal(reasonOf('dance'), '"dance" is not a verb')
    assert.equal(reasonOf('resolve'), 'TARGET is missing')
    assert.equal(reasonOf('resolve', 'a', 'b'), '"b" is one word too many')
    assert.equal(reasonOf(...attach), '--grace-ms is missing')
    assert.equal(reasonOf(...attach, '--grace-ms', 'soon'), '--grace-ms is not a whole number: "soon"')
    assert.match(String(reasonOf('list', '--colour')), /colour/)
  })
})
