// The exit code of exec, from what the server and the supervisor say.
import assert from 'node:assert/strict'
import { exitCode, signalCode } from '../../../clients/cli/exit-code.ts'

describe('exitCode()', () => {
  it("is the command's own", () => {
    assert.equal(exitCode({ code: 0 }, undefined), 0)
    assert.equal(exitCode({ code: 42 }, { code: 42, signal: null }), 42)
  })

  it('is 128 + n when a signal ended the command', () => {
    assert.equal(exitCode({ signal: 'SIGTERM' }, undefined), 143)
    assert.equal(exitCode({ signal: 'SIGSEGV' }, undefined), 139)
  })

  it("takes the code that the server names for a command that could not be started, else the supervisor's", () => {
    assert.equal(exitCode({ code: 127, failure: 'no such program' }, undefined), 127)
    assert.equal(exitCode({ failure: 'not executable' }, { code: 126, signal: null }), 126)
  })

  it('is 125 for a failure that is not the command’s', () => {
    assert.equal(exitCode({ failure: 'the supervisor ended' }, { code: 3, signal: null }), 125)
    assert.equal(exitCode({ code: 0, failure: 'odd' }, undefined), 125)
    assert.equal(exitCode(undefined, undefined), 125)
  })

  it("is the supervisor's, which mimics the command, when the server says nothing", () => {
    assert.equal(exitCode(undefined, { code: 5, signal: null }), 5)
    assert.equal(exitCode(undefined, { code: null, signal: 'SIGKILL' }), 137)
  })

  it('keeps the signal of a command that standin ended', () => {
    assert.equal(exitCode({ signal: 'SIGKILL', failure: 'the session ended' }, undefined), 137)
  })
})

describe('signalCode()', () => {
  it('knows real-time signals, which have no name in Node', () => {
    assert.equal(signalCode('SIGRTMIN'), 128 + 34)
    assert.equal(signalCode('SIGRTMIN+3'), 128 + 37)
    assert.equal(signalCode('40'), 168)
  })

  it('is 128 for a name that nobody knows', () => {
    assert.equal(signalCode('SIGFOO'), 128)
  })
})
