// Small parts around commands: the probe's report, shims, lines, failures that are passed on, trace lines.
import assert from 'node:assert/strict'
import { LineReader } from '../../../server/lines.ts'
import { readReport } from '../../../server/processes/probe.ts'
import { checkShimNames, presentPrograms, shimScript } from '../../../server/processes/shims.ts'
import { isToken } from '../../../server/rpc/serve-client.ts'
import { traceLine } from '../../../server/rpc/trace.ts'
import { toldFailure } from '../../../server/told-failure.ts'

describe('readReport()', () => {
  it('reads what the probe printed', () => {
    assert.deepEqual(readReport('{"hooks":true}\n', ''), { hooks: true })
    const report = readReport('{"hooks":false,"failure":{"kind":"hooks-nested","values":{}}}', '')
    assert.ok(!report.hooks && report.failure.kind === 'hooks-nested')
  })
  it('says no, and why, when the probe failed', () => {
    const report = readReport('', 'Error: koffi is missing')
    assert.ok(!report.hooks && /koffi is missing/.test(report.failure.message))
  })
})

describe('shims', () => {
  it('quote everything that comes from outside', () => {
    const script = shimScript({
      program: "it's",
      folder: '/a b',
      prefix: ['node', "h'k"],
      environment: { T: "x'y" },
    })
    assert.match(script, /self='\/a b'/)
    assert.match(script, /export T='x'\\''y'/)
    assert.match(script, /exec 'node' 'h'\\''k' 'it'\\''s' "\$@"/)
  })
  it('have the name of a program, never a path', () => {
    checkShimNames(['node', 'python3.12', 'g++'])
    for (const name of ['../x', 'a/b', '..', '', 'a b'])
      assert.throws(() => checkShimNames([name]), /not the name of a program/)
  })
  it('are made by default for programs that are there', async () => {
    assert.deepEqual(await presentPrograms(['sh', 'no-such-program'], '/nowhere:/bin'), ['sh'])
  })
})

describe('LineReader', () => {
  it('cuts lines however they arrive, and refuses endless ones', () => {
    const reader = new LineReader(4)
    assert.deepEqual(reader.read(Buffer.from('a\nb')), ['a'])
    assert.deepEqual(reader.read(Buffer.from('c\n\n')), ['bc', ''])
    assert.throws(() => reader.read(Buffer.from('12345')), /more than 4 bytes/)
  })
})

describe('toldFailure()', () => {
  const otherwise = { kind: 'agent-failed', values: { reason: 'it reported a failure' } } as const
  it('is the failure that was told', () => {
    const failure = toldFailure({ kind: 'target-ended', values: { target: 'x' }, detail: 'd' }, otherwise)
    assert.deepEqual([failure.kind, failure.data.detail], ['target-ended', 'd'])
  })
  it('is another when the kind is not known', () => {
    assert.equal(toldFailure({ kind: 'toString', values: {} }, otherwise).kind, 'agent-failed')
  })
})

describe('traceLine()', () => {
  const message = { method: 'initialize', id: 1, params: { token: 'secret', processId: null } }
  it('is nothing when tracing is off, and a name when it is on', () => {
    assert.equal(traceLine('off', 'received', message), undefined)
    assert.equal(traceLine('messages', 'received', message), 'received initialize (1)')
  })
  it('hides secrets', () => {
    const line = traceLine('verbose', 'received', message)
    assert.match(line ?? '', /"token":"\(hidden\)"/)
    assert.doesNotMatch(line ?? '', /secret/)
  })
  it('never traces log messages, which would never end', () => {
    assert.equal(traceLine('verbose', 'sent', { method: 'window/logMessage', params: {} }), undefined)
  })
})

describe('isToken()', () => {
  it('compares texts of any length', () => {
    assert.equal(isToken('abc', 'abc'), true)
    for (const wrong of ['abd', 'ab', '', undefined]) assert.equal(isToken('abc', wrong), false)
    assert.equal(isToken(undefined, undefined), true)
  })
})
