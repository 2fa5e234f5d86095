// The file that holds an agent's files: taken apart it gives what was put in.
import assert from 'node:assert/strict'
import { joinBundle, splitBundle } from '../../../protocol/agent/bundle.ts'

describe('joinBundle() and splitBundle()', () => {
  const files = {
    'agent.cjs': Buffer.from('one'),
    'agent-capture.cjs': Buffer.alloc(0),
    'koffi.node': Buffer.from('\n\n\0three'),
  }

  it('give back each file as it was', () => assert.deepEqual(splitBundle(joinBundle(files)), files))

  it('put the file that the bootstrap runs first', () => {
    const [line] = joinBundle(files).toString('latin1').split('\n')
    assert.equal(line, '[["agent.cjs",3],["agent-capture.cjs",0],["koffi.node",8]]')
  })
})
