// The page of describe.
import assert from 'node:assert/strict'
import { descriptionText } from '../../../clients/cli/description.ts'
import { describeTarget } from '../../../protocol/rpc/targets.ts'

type Description = Parameters<typeof descriptionText>[0]

const inCluster: Description = {
  target: {
    target: 'deployment/checkout',
    kind: 'deployment',
    name: 'checkout',
    namespace: 'shop',
    ready: false,
    reason: '1 of 2 pods is ready',
    ports: [8080],
    pods: { ready: 1, total: 2 },
  },
  hostname: 'checkout-1',
  addresses: ['10.1.0.2'],
  listeners: [],
  ownNetwork: true,
  sidecar: 'istio',
  pods: [
    {
      name: 'checkout-1',
      phase: 'Running',
      ready: true,
      chosen: true,
      addresses: ['10.1.0.2'],
      node: 'node-1',
      containers: [
        {
          name: 'web',
          image: 'shop/web:3',
          ready: true,
          chosen: true,
          restarts: 0,
          ports: [{ port: 8080, protocol: 'TCP', name: 'http' }],
          probes: [{ probe: 'readiness', by: 'http', port: 8080, path: '/ready' }],
        },
        {
          name: 'istio-proxy',
          image: 'istio',
          ready: false,
          reason: 'CrashLoopBackOff',
          chosen: false,
          restarts: 4,
          ports: [],
          probes: [{ probe: 'liveness', by: 'exec' }],
          sidecar: 'istio',
        },
      ],
    },
    {
      name: 'checkout-2',
      phase: 'Pending',
      ready: false,
      reason: 'no node has room',
      chosen: false,
      addresses: [],
      containers: [],
    },
  ],
  needs: [
    { what: 'create jobs.batch in namespace shop', granted: true },
    { what: 'get pods/portforward in namespace shop', granted: false, fix: 'Ask for the Role' },
  ],
}

describe('descriptionText()', () => {
  it('shows pods, containers, probes, and what is missing with its fix', () => {
    assert.equal(
      descriptionText(inCluster),
      `deployment/checkout
  namespace   shop
  ready       no: 1 of 2 pods is ready
  pods        1 of 2 ready
  host name   checkout-1
  addresses   10.1.0.2
  ports       8080 (declared)
  sidecar     istio: traffic is taken behind it

pod/checkout-1  (a session would take this one)
  Running; ready; node node-1; 10.1.0.2
  container/web  (a session would take this one)
    shop/web:3; ready
    ports 8080/TCP (http)
    readiness probe: http port 8080/ready
  container/istio-proxy  (sidecar: istio)
    istio; not ready: CrashLoopBackOff; 4 restarts
    liveness probe: exec

pod/checkout-2
  Pending; not ready: no node has room

A session needs (1 of 2 missing)
  yes  create jobs.batch in namespace shop
  NO   get pods/portforward in namespace shop
       fix: Ask for the Role
`,
    )
  })

  it('does not say that all is there when something is not known', () => {
    const unknown = 'you may not read namespace "shop"'
    const needs = [
      { what: 'create jobs.batch in namespace shop', granted: true },
      { what: 'Pod Security level "privileged"', granted: false, unknown },
    ]
    const text = descriptionText({ ...inCluster, needs })
    assert.match(text, /^A session needs \(all that is known is there, 1 not known\)$/m)
    assert.match(
      text,
      /^ {2}\? {4}Pod Security level "privileged"\n {7}not known: you may not read namespace "shop"$/m,
    )
    const missing = { what: 'get pods', granted: false, fix: 'Ask' }
    assert.match(
      descriptionText({ ...inCluster, needs: [...needs, missing] }),
      /^A session needs \(1 of 3 missing, 1 not known\)$/m,
    )
  })

  it('shows a process of this machine, and lets no name steer the terminal', () => {
    const { result } = describeTarget.example
    const text = descriptionText({ ...result, hostname: 'a\x1bb', ownNetwork: false })
    assert.match(text, /^process\/4711\n {2}ready {7}yes\n {2}process {5}4711\n {2}host name {3}a\?b$/m)
    assert.match(text, /listens on {2}0\.0\.0\.0:8080/)
    assert.match(text, /network {5}this machine's/)
    assert.match(text, /all of it is there/)
  })
})
