// What a configuration may not say, beyond its shape.
import assert from 'node:assert/strict'
import { configFaults } from '../../../server/sessions/config-faults.ts'

describe('configFaults()', () => {
  it('finds nothing wrong with a full configuration', () => {
    const faults = configFaults({
      target: { path: 'deployment/shop', namespace: 'shop-2' },
      kubeconfig: '~/.kube/config',
      kube_context: 'staging',
      agent: { image: 'registry:5000/node@sha256:00', namespace: 'agents', startup_timeout: 1 },
      feature: { env: { include: 'A' }, network: { incoming: { port_mapping: [[1, 80]] } } },
    })
    assert.deepEqual(faults, [])
  })

  it('refuses include together with exclude', () => {
    assert.deepEqual(configFaults({ feature: { env: { include: 'A', exclude: 'B' } } }), [
      'feature.env: include and exclude exclude each other',
    ])
  })

  it('refuses patterns of Unix sockets that are no regular expressions, and none at all', () => {
    const faults = (unix_streams: string | string[]) =>
      configFaults({ feature: { network: { outgoing: { unix_streams } } } })
    assert.deepEqual(faults(['^/run/', '[a']), [
      'feature.network.outgoing.unix_streams: "[a" is no regular expression (Unterminated character class)',
    ])
    assert.match(faults([])[0]!, /^feature\.network\.outgoing\.unix_streams: it is empty/)
    assert.deepEqual(faults('\\.sock$'), [])
  })

  it('refuses a port that is mapped twice', () => {
    const mapped = (...port_mapping: [number, number][]) =>
      configFaults({ feature: { network: { incoming: { port_mapping } } } })
    assert.match(mapped([1, 80], [2, 80])[0]!, /pod port 80 twice/)
    assert.match(mapped([1, 80], [1, 81])[0]!, /process port 1 twice/)
    assert.deepEqual(mapped([1, 80], [80, 1]), [])
  })

  it('refuses what no ephemeral container has', () => {
    const agent = { ephemeral: true, resources: {}, namespace: 'a', ttl: 0, image: 'node:22' }
    assert.deepEqual(
      configFaults({ agent }).map(fault => fault.split(':')[0]),
      ['agent.namespace', 'agent.resources', 'agent.ttl'],
    )
    assert.deepEqual(configFaults({ agent: { ...agent, ephemeral: false } }), [])
  })

  it('refuses names that no cluster can have', () => {
    for (const namespace of ['Shop', '', '-a', 'a-', 'a.b', 'a'.repeat(64), 'a/b'])
      assert.match(
        configFaults({ target: { namespace } })[0]!,
        /^target\.namespace: .*no name of a namespace/,
      )
    assert.match(configFaults({ agent: { namespace: 'A' } })[0]!, /^agent\.namespace/)
    assert.match(configFaults({ agent: { image: 'node 22' } })[0]!, /^agent\.image: "node 22"/)
  })

  it('refuses what is empty or takes no time', () => {
    assert.deepEqual(configFaults({ target: ' ', kubeconfig: '', kube_context: '' }), [
      'target.path: it is empty',
      'kubeconfig: it is empty',
      'kube_context: it is empty',
    ])
    assert.match(configFaults({ agent: { startup_timeout: 0 } })[0]!, /1 second or more/)
  })

  it('refuses a filter with both sides, none of either, and entries that cannot be read', () => {
    const filtered = (filter: object) => configFaults({ feature: { network: { outgoing: { filter } } } })
    const key = 'feature.network.outgoing.filter'
    assert.deepEqual(filtered({ remote: 'db.shop:5432' }), [])
    assert.deepEqual(filtered({ local: ['tcp://10.0.0.0/8', '[fd00::]/8:80', ':6379'] }), [])
    assert.deepEqual(filtered({ remote: ['a'], local: ['b'] }), [
      `${key}: remote and local exclude each other; keep the one that is shorter to write`,
    ])
    assert.deepEqual(filtered({ local: [] }), [
      `${key}.local: it is empty; name what it is for, or leave the filter out`,
    ])
    assert.deepEqual(filtered({ remote: ['db', 'htp://db', 'db:70000'] }), [
      `${key}.remote: "htp://db" has the unknown protocol "htp" (did you mean "tcp"?); write tcp, udp or any before "://"`,
      `${key}.remote: "db:70000" has the port "70000"; write one from 1 to 65535, and 0 or nothing for any`,
    ])
  })

  it('refuses a filter of names with both sides, and what is no name', () => {
    const filtered = (filter: object) => configFaults({ feature: { network: { dns: { filter } } } })
    const key = 'feature.network.dns.filter'
    assert.deepEqual(filtered({ local: ['corp.example'] }), [])
    assert.deepEqual(filtered({ remote: 'a', local: 'b' }), [
      `${key}: remote and local exclude each other; keep the one that is shorter to write`,
    ])
    assert.deepEqual(filtered({ remote: [] }), [
      `${key}.remote: it is empty; name what it is for, or leave the filter out`,
    ])
    for (const text of ['db:53', '10.0.0.1', ':53'])
      assert.deepEqual(filtered({ local: [text] }), [
        `${key}.local: "${text}" is no name alone; write a name without protocol and port, for no address is looked up`,
      ])
  })
})
