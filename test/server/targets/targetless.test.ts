// What a session without a target may be asked for, and what its configuration then is.
import assert from 'node:assert/strict'
import type { SessionConfig } from '../../../protocol/config.ts'
import { isTargetless } from '../../../protocol/targetless.ts'
import { configFaults } from '../../../server/sessions/config-faults.ts'
import { outgoingRulesOf } from '../../../server/sessions/outgoing-rules.ts'
import { portRules } from '../../../server/sessions/ports.ts'
import { targetlessConfig } from '../../../server/targets/targetless.ts'

type Network = NonNullable<NonNullable<SessionConfig['feature']>['network']>
const target = { path: 'targetless', namespace: 'shop' }
const withNetwork = (network: Network): SessionConfig => ({ target, feature: { network } })

describe('isTargetless()', () => {
  it('is so of that word alone', () => {
    assert.equal(isTargetless('targetless'), true)
    for (const other of ['deployment/targetless', 'targetless/x', 'Targetless', '', undefined])
      assert.equal(isTargetless(other), false, other)
  })
})

describe('configFaults() of a session without a target', () => {
  it('finds nothing wrong with what it can have', () => {
    const agent = { image: 'node:22', node_selector: {}, service_account: 'x', ttl: 5, labels: {} }
    assert.deepEqual(configFaults({ target, agent }), [])
    assert.deepEqual(configFaults({ target: 'targetless' }), [])
    assert.deepEqual(configFaults({ target, agent: { namespace: 'shop', ephemeral: false } }), [])
  })

  it('refuses incoming traffic in every form, and nothing that switches it off', () => {
    const asked: Network['incoming'][] = ['mirror', {}, { ports: [80] }, { port_mapping: [[1, 80]] }]
    for (const incoming of asked)
      assert.deepEqual(configFaults(withNetwork({ incoming })), [
        'feature.network.incoming: nothing arrives at targetless, leave it out, set it to "off", or name another file with -f',
      ])
    assert.deepEqual(configFaults(withNetwork({ incoming: 'off' })), [])
    assert.deepEqual(configFaults(withNetwork({ incoming: { mode: 'off', ports: [80] } })), [])
  })

  it('refuses an ephemeral container, and another namespace for its agent', () => {
    assert.match(
      configFaults({ target, agent: { ephemeral: true } }).join(),
      /^agent\.ephemeral: targetless has no pod/,
    )
    const elsewhere = /^agent\.namespace: .* name that as target\.namespace or with -n$/
    assert.match(configFaults({ target, agent: { namespace: 'standin' } }).join(), elsewhere)
    assert.match(configFaults({ target: 'targetless', agent: { namespace: 'shop' } }).join(), elsewhere)
  })

  it('refuses to give a host name, for there is no pod to have one', () => {
    assert.deepEqual(configFaults({ target, feature: { hostname: true } }), [
      'feature.hostname: targetless has no host name to give',
    ])
    assert.deepEqual(configFaults({ target, feature: { hostname: false } }), [])
  })

  it('leaves every other target alone', () => {
    const agent = { namespace: 'standin' }
    assert.deepEqual(configFaults({ ...withNetwork({ incoming: 'mirror' }), target: 'pod/a', agent }), [])
  })
})

describe('targetlessConfig()', () => {
  it('has no incoming traffic, whose lack is then no news, and keeps loopback and host name', () => {
    const config = targetlessConfig<SessionConfig>({ target })
    assert.equal(portRules(config).mirror, false)
    const { tcp, ignoreLocalhost } = outgoingRulesOf(config)
    assert.deepEqual({ tcp, ignoreLocalhost }, { tcp: true, ignoreLocalhost: true })
    assert.equal(config.feature?.hostname, false)
  })
  it('keeps what else was configured', () => {
    const config = targetlessConfig({
      target,
      feature: { env: false, network: { outgoing: { tcp: false } } },
    })
    assert.equal(config.feature?.env, false)
    const { tcp, ignoreLocalhost } = outgoingRulesOf(config)
    assert.deepEqual({ tcp, ignoreLocalhost }, { tcp: false, ignoreLocalhost: true })
    assert.equal(outgoingRulesOf(targetlessConfig(withNetwork({ outgoing: false }))).tcp, false)
  })
})
