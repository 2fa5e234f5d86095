// The command's environment: the pod's over the user's, without what was meant for the supervisor.
import assert from 'node:assert/strict'
import { commandEnvironment } from '../../../hooks/command/environment.ts'

describe('commandEnvironment()', () => {
  const own = {
    PATH: '/bin',
    DROP: 'x',
    STANDIN_HOOK_SOCKET: 's',
    STANDIN_HOOK_TOKEN: 'secret',
    STANDIN_HOOK_PROCESS: 'p1',
  }
  it('sets and removes on top of its own, hides the secret and marks the process', () => {
    assert.deepEqual(commandEnvironment(own, { DROP: null, REGION: 'eu', PATH: '/usr/bin' }, 'p1'), {
      PATH: '/usr/bin',
      REGION: 'eu',
      STANDIN_PROCESS: 'p1',
    })
  })
  it('does not let the pod change the mark', () => {
    assert.equal(commandEnvironment(own, { STANDIN_PROCESS: 'other' }, 'p1').STANDIN_PROCESS, 'p1')
  })
})
