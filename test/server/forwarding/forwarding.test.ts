// What the ports of one session refuse before anything is begun.
import assert from 'node:assert/strict'
import { Failure } from '../../../protocol/errors.ts'
import { Forwarding } from '../../../server/forwarding/forwarding.ts'

describe('Forwarding', () => {
  const forwarding = (target: string) =>
    new Forwarding({
      sessionId: 's1',
      target,
      client: { show() {}, log() {} },
      open: () => undefined,
      podPorts: () => [8080],
      onReversed() {},
    })

  it('copies no port where there is no pod', () => {
    const refused = (thrown: unknown) => thrown instanceof Failure && thrown.kind === 'nothing-arrives'
    assert.throws(() => forwarding('targetless').reverse(8080, 3000), refused)
    assert.equal(typeof forwarding('deployment/shop').reverse(8080, 3000), 'string')
  })

  it('names the ports that are open, and none that was closed', async () => {
    const { signal } = new AbortController()
    const ports = forwarding('deployment/shop')
    const remote = { host: 'postgres', port: 5432 }
    const { portId, local } = await ports.forward({ remote }, signal)
    const reversed = ports.reverse(8080, 3000)
    assert.deepEqual(ports.open, {
      forwards: [{ portId, local, remote }],
      reverses: [{ portId: reversed, podPort: 8080, localPort: 3000 }],
    })
    ports.closePort(portId)
    ports.closePort(reversed)
    assert.deepEqual(ports.open, { forwards: [], reverses: [] })
  })

  it('says why a path cannot be listened on', async () => {
    const { signal } = new AbortController()
    const asked = { local: { path: '/etc/hosts/x' }, remote: { host: 'web', port: 80 } }
    await assert.rejects(forwarding('deployment/shop').forward(asked, signal), (thrown: Failure) => {
      assert.equal(thrown.kind, 'listen-failed')
      return true
    })
  })
})
