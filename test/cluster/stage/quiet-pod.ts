// A pod that keeps account of what reaches it: each connection that its program accepts, and the kernel's own counters of its network.
import { apply, kubectl, podsReady } from './kubectl.ts'

/** `tcp`: segments; `ip`: packets; `udp`: datagrams; each in and out. `lo`: bytes and packets of loopback. */
export type Counters = { ip: number[]; tcp: number[]; udp: number[]; lo: number[] }

export type QuietPod = {
  readonly name: string
  /** Asked of the kernel by a process in the container, which no packet of the pod's network reaches. */
  counters(): Promise<Counters>
  /** Peer and, of HTTP, user agent of each connection since the start: "10.88.1.1 kube-probe/1.34". */
  accepted(): Promise<string[]>
}

/** Serves HTTP at port 8080. Without probes nothing calls it but what the test does. */
export async function startQuietPod(
  namespace: string,
  name: string,
  options: { probed?: boolean } = {},
): Promise<QuietPod> {
  const probe = { httpGet: { port: 8080, path: '/ready' }, periodSeconds: 1 }
  const container = {
    name: 'main',
    image: 'localhost/node:20',
    imagePullPolicy: 'IfNotPresent',
    command: ['node', '-e', program],
    ports: [{ containerPort: 8080 }],
    ...(options.probed ? { readinessProbe: probe, livenessProbe: probe } : {}),
  }
  await apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: name } },
    spec: { terminationGracePeriodSeconds: 0, automountServiceAccountToken: false, containers: [container] },
  })
  await podsReady(namespace, `app=${name}`)
  return {
    name,
    async counters() {
      const inside = ['-n', namespace, 'exec', name, '-c', 'main', '--', 'node', '-e', countersProgram]
      return JSON.parse(await kubectl(inside))
    },
    async accepted() {
      const log = await kubectl(['-n', namespace, 'logs', name, '-c', 'main'])
      return log.split('\n').filter(line => line !== '')
    },
  }
}

const program = `
require('http').createServer((request, response) => {
  console.log(request.socket.remoteAddress.replace('::ffff:', '') + ' ' + (request.headers['user-agent'] ?? '-'))
  response.end('x')
}).on('connection', socket => socket.once('close', () => { if (socket.bytesRead === 0) console.log(socket.remoteAddress + ' said nothing') })).listen(8080)`

/** Source: proc(5), /proc/net/snmp: a line of names, then one of values, for each protocol. */
const countersProgram = `
const read = name => require('fs').readFileSync('/proc/self/net/' + name, 'utf8').split('\\n')
const of = (protocol, ...names) => {
  const [head, values] = read('snmp').filter(line => line.startsWith(protocol + ': ')).map(line => line.split(' '))
  return names.map(name => Number(values[head.indexOf(name)]))
}
const lo = read('dev').find(line => line.includes('lo:')).split(':')[1].trim().split(/ +/).map(Number)
console.log(JSON.stringify({
  ip: of('Ip', 'InReceives', 'OutRequests'), tcp: of('Tcp', 'ActiveOpens', 'PassiveOpens', 'InSegs', 'OutSegs'),
  udp: of('Udp', 'InDatagrams', 'OutDatagrams'), lo: [lo[0], lo[1], lo[8], lo[9]] }))`
