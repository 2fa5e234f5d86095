// How a command in a pod ended, read of the Status that the kubelet sends.
import assert from 'node:assert/strict'
import { exitOf } from '../../../../server/kubernetes/channel/exec-status.ts'

describe('exitOf()', () => {
  it('reads success and exit codes as the kubelet writes them', () => {
    assert.deepEqual(exitOf('{"metadata":{},"status":"Success"}'), { code: 0 })
    const failure =
      '{"metadata":{},"status":"Failure","message":"command terminated with non-zero exit code: exit status 7","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"7"}]}}'
    assert.deepEqual(exitOf(failure), { code: 7 })
  })

  it('gives the message of a failure that has no exit code', () => {
    const failure =
      '{"status":"Failure","message":"Internal error occurred: no such program","reason":"InternalError","code":500}'
    assert.deepEqual(exitOf(failure), { message: 'Internal error occurred: no such program' })
    assert.deepEqual(exitOf('{"status":"Failure","reason":"NonZeroExitCode","message":"m"}'), {
      message: 'm',
    })
    assert.deepEqual(
      exitOf(
        '{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"x"}]}}',
      ),
      { message: 'NonZeroExitCode' },
    )
  })

  it('gives nothing for what is no Status', () => {
    for (const text of ['', 'null', '7', '{}', '{"status":"Success"', 'plain text'])
      assert.equal(exitOf(text), undefined)
  })
})
