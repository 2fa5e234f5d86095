// What the CLI tells of itself: sentences to people, one JSON object a line to scripts.
import assert from 'node:assert/strict'
import { lineText } from '../../../clients/cli/tell.ts'
import { reportedError } from '../../../clients/rpc/reported-error.ts'
import { Failure } from '../../../protocol/errors.ts'
import { published } from '../../stage/published.ts'

const notice = { event: 'notice', level: 'warning', message: 'no traffic is captured' } as const
const error = {
  event: 'error',
  error: reportedError(new Failure('target-not-found', { target: 'process/1' }), 'ls'),
} as const

describe('lineText()', () => {
  it('gives people a sentence, and an error with its fix', () => {
    assert.equal(lineText(notice, { json: false }), 'standin: no traffic is captured\n')
    assert.match(lineText(error, { json: false }), /^standin: Cannot find .*\nstandin: fix: .*\n$/)
  })

  it('gives scripts one JSON line of the published shape', () => {
    assert.deepEqual(published('NoticeLine', lineText(notice, { json: true })), notice)
    assert.deepEqual(published('ErrorLine', lineText(error, { json: true })), error)
  })
})
