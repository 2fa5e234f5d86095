// How a pod, its containers and its probes are described.
import assert from 'node:assert/strict'
import { describePod, probesOf } from '../../../../server/kubernetes/targets/describe-pod.ts'

describe('probesOf()', () => {
  it('tells how and where each probe asks, a named port by its number', () => {
    const container = {
      name: 'web',
      ports: [{ name: 'http', containerPort: 8080 }],
      livenessProbe: { grpc: { port: 9090 } },
      readinessProbe: { httpGet: { port: 'http' as unknown as number } },
      startupProbe: { tcpSocket: { port: 81 as unknown as number } },
    }
    assert.deepEqual(probesOf(container), [
      { probe: 'liveness', by: 'grpc', port: 9090 },
      { probe: 'readiness', by: 'http', port: 8080, path: '/' },
      { probe: 'startup', by: 'tcp', port: 81 },
    ])
  })
  it('leaves the port out when its name names nothing, and a probe that asks nothing', () => {
    const readinessProbe = { httpGet: { port: 'gone' as unknown as number, path: '/x' } }
    assert.deepEqual(probesOf({ name: 'web', readinessProbe, livenessProbe: {} }), [
      { probe: 'readiness', by: 'http', path: '/x' },
    ])
    assert.deepEqual(probesOf({ name: 'web', livenessProbe: { exec: {} } }), [
      { probe: 'liveness', by: 'exec' },
    ])
  })
})

describe('describePod()', () => {
  it('describes a pod of which nothing is known yet', () => {
    const told = describePod({ metadata: { name: 'a' }, spec: { containers: [{ name: 'web' }] } }, undefined)
    assert.deepEqual(told, {
      ...{ name: 'a', phase: 'Unknown', ready: false, chosen: false, addresses: [], reason: 'not started' },
      containers: [
        { name: 'web', image: '', ready: false, chosen: false, restarts: 0, ports: [], probes: [] },
      ],
    })
  })
})
