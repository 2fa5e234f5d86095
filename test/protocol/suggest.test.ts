// Which known word is suggested for one that is not known.
import assert from 'node:assert/strict'
import { editDistance, suggestion } from '../../protocol/suggest.ts'

describe('suggestion()', () => {
  it('names the nearest', () =>
    assert.equal(suggestion('lanch', ['launch', 'exit']), ' (did you mean "launch"?)'))
  it('is silent when nothing is near', () => assert.equal(suggestion('xyz', ['launch', 'exit']), ''))
  it('counts insertions, deletions and replacements', () => {
    assert.equal(editDistance('kitten', 'sitting'), 3)
    assert.equal(editDistance('', 'abc'), 3)
  })
})
