// Targets as rows: of a cluster, of this machine.
import assert from 'node:assert/strict'
import { table } from '../../../clients/cli/table.ts'
import { sortTargets, targetTable } from '../../../clients/cli/target-table.ts'
import type { Target } from '../../../protocol/rpc/targets.ts'

const process: Target = {
  target: 'process/1',
  kind: 'process',
  name: 'node',
  ready: true,
  ports: [80, 81],
  command: 'node a.js',
}
const shop: Target = {
  target: 'deployment/shop',
  kind: 'deployment',
  name: 'shop',
  namespace: 'prod',
  ready: true,
  ports: [8080],
  containers: ['web', 'log'],
  pods: { ready: 2, total: 3 },
}
const pod: Target = {
  target: 'pod/shop-0',
  kind: 'pod',
  name: 'shop-0',
  namespace: 'prod',
  ready: false,
  reason: 'CrashLoopBackOff',
  ports: [],
}

const lines = (targets: Target[], options = { inAll: false }) =>
  table(targetTable(targets, options)).split('\n').slice(0, -1)

describe('targetTable()', () => {
  it('shows pods, ports and containers of a cluster, and why something is not ready', () => {
    assert.deepEqual(lines([shop, pod]), [
      'TARGET           READY  PORTS  CONTAINERS  STATUS',
      'deployment/shop  2/3    8080   web,log',
      'pod/shop-0       no     -      -           CrashLoopBackOff',
    ])
  })

  it('shows the namespace when there are several', () => {
    assert.match(lines([shop], { inAll: true })[1]!, /^prod {7}deployment\/shop/)
  })

  it('shows the command of what runs on this machine', () => {
    const paused: Target = {
      target: 'container/x',
      kind: 'container',
      name: 'x',
      ready: false,
      ports: [],
      reason: 'paused',
    }
    assert.deepEqual(lines([process, paused]), [
      'TARGET       NAME  PORTS  READY   COMMAND',
      'process/1    node  80,81  yes     node a.js',
      'container/x  x     -      paused',
    ])
  })

  it('is empty when nothing was found', () => assert.deepEqual(lines([]), []))
})

describe('sortTargets()', () => {
  it('sorts by namespace, then kind, then name', () => {
    const named = (namespace: string, target: string): Target => ({
      ...shop,
      namespace,
      target,
      kind: target.split('/')[0] as Target['kind'],
      name: target.split('/')[1]!,
    })
    const sorted = [named('a', 'pod/a'), named('a', 'pod/b'), named('a', 'deployment/a'), named('b', 'pod/a')]
    assert.deepEqual(sortTargets([...sorted].reverse()), sorted)
  })
})
