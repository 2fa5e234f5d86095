// The test cluster itself: its pods reach each other and nothing outside, and its nodes are two nodes to whoever looks.
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { keyFile } from './certificates.ts'
import { bridge, nodes } from './layout.ts'
import { until } from './run.ts'
import { apply, freshNamespace, kubectl, objectOf, podsReady } from './stage/kubectl.ts'

// Asks each address and prints what each answered, a line each: [address, answer or the error's code].
const asking = `Promise.all(process.argv.slice(1).map(url => fetch(url, { signal: AbortSignal.timeout(5000) })
  .then(answer => answer.text(), error => error.cause?.code ?? String(error))
  .then(answer => [url, answer.trim()]))).then(all => console.log(JSON.stringify(all)))`
const answering = `require('node:http').createServer((q, s) => s.end(process.env.HOSTNAME)).listen(8080); console.log('here is ' + process.env.HOSTNAME)`

const ownAddresses = Object.entries(networkInterfaces())
  .filter(([name]) => name !== bridge)
  .flatMap(([, all]) =>
    (all ?? []).filter(one => one.family === 'IPv4' && !one.internal).map(one => one.address),
  )

const places = nodes.map(node => node.name)

describe('the test cluster', () => {
  let namespace: Awaited<ReturnType<typeof freshNamespace>>
  const addresses: Record<string, string> = {}

  before(async () => {
    namespace = await freshNamespace('nodes')
    const pod = (name: string) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: namespace.name, labels: { app: 'answer' } },
      spec: {
        nodeName: name,
        hostPID: true,
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: 'answer',
            image: 'localhost/node:20',
            imagePullPolicy: 'Never',
            command: ['node', '-e', answering],
            readinessProbe: { httpGet: { port: 8080, path: '/' }, periodSeconds: 1 },
          },
        ],
      },
    })
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'answer', namespace: namespace.name },
      spec: { selector: { app: 'answer' }, ports: [{ port: 80, targetPort: 8080 }] },
    }
    await apply(service, ...places.map(pod))
    await podsReady(namespace.name, 'app=answer')
    for (const name of places)
      addresses[name] = (await objectOf(['-n', namespace.name, 'pod', name])).status.podIP
  })
  after(async () => namespace?.remove())

  const inPod = (pod: string, ...command: string[]): Promise<string> =>
    kubectl(['-n', namespace.name, 'exec', pod, '--', ...command])
  const ask = async (pod: string, ...urls: string[]): Promise<Record<string, string>> =>
    Object.fromEntries(JSON.parse(await inPod(pod, 'node', '-e', asking, ...urls)))

  for (const place of places) {
    it(`lets a pod of ${place} reach the pods of both nodes, the service and its name`, async () => {
      const direct = Object.fromEntries(places.map(name => [`http://${addresses[name]}:8080/`, name]))
      const answers = await ask(place, ...Object.keys(direct))
      for (const [url, name] of Object.entries(direct)) assert.equal(answers[url], name)
      // kube-proxy hears of ready pods a moment after we do.
      await until(`the service to answer a pod of ${place} by both its names`, 10_000, async () => {
        const named = await ask(place, 'http://answer/', `http://answer.${namespace.name}.svc.cluster.local/`)
        return Object.values(named).every(answer => places.includes(answer))
      })
    })

    it(`keeps a pod of ${place} from reaching anything outside, by address and by name`, async () => {
      // This machine's own outside addresses: should one be reached after all, nobody else is.
      const outside = ownAddresses.map(address => [`http://${address}/`, 'ENETUNREACH'])
      const expected = Object.fromEntries([...outside, ['http://outside.example/', 'ENOTFOUND']])
      assert.deepEqual(await ask(place, ...Object.keys(expected)), expected)
    })

    it(`gives the log of a pod of ${place}, and a port-forward to it`, async () => {
      assert.equal(await kubectl(['-n', namespace.name, 'logs', place]), `here is ${place}`)
      const proxied = `/api/v1/namespaces/${namespace.name}/pods/${place}:8080/proxy/`
      assert.equal(await kubectl(['get', '--raw', proxied]), place)
    })

    it(`shows a pod with hostPID on ${place} that node's processes alone`, async () => {
      const others = places.filter(name => name !== place)
      const commands = await inPod(place, 'ps', '-o', 'args')
      assert.match(commands, new RegExp(`kubelet.*${place}`))
      for (const other of others) assert.doesNotMatch(commands, new RegExp(`kubelet.*${other}`))
      assert.doesNotMatch(commands, /kube-apiserver/)
    })
  }

  it('has certificates that a clock a day off on either side accepts', () => {
    const day = 86_400_000
    for (const name of ['ca', 'apiserver', 'admin', ...places.map(place => `${place}-server`)]) {
      const { validFrom, validTo } = new X509Certificate(readFileSync(keyFile(`${name}.crt`)))
      assert.ok(Date.parse(validFrom) < Date.now() - 2 * day, `${name} is valid from ${validFrom}`)
      assert.ok(Date.parse(validTo) > Date.now() + 365 * day, `${name} is valid to ${validTo}`)
    }
  })
})
