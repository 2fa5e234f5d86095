// A service that nobody answers: its one pod listens, and its queue is full for good.
import { until } from '../run.ts'
import { apply, podsReady } from './kubectl.ts'

export const silentPort = 1234

// One connection is all that a queue of length 0 holds: the kernel drops every later SYN.
const program = `
import signal, socket
listener = socket.socket()
listener.bind(("", ${silentPort}))
listener.listen(0)
kept = socket.create_connection(("127.0.0.1", ${silentPort}))
open("/tmp/full", "w").close()
signal.pause()`

/** Its name is "silent"; resolves when `isSilent`, a connect to it, found it so: a service leads nowhere at first, which is a refusal. */
export async function startSilent(namespace: string, isSilent: () => Promise<boolean>): Promise<void> {
  const labels = { app: 'silent' }
  const container = {
    ...{ name: 'silent', image: 'localhost/prices:1', imagePullPolicy: 'Never' },
    command: ['python3.11', '-c', program],
    readinessProbe: { exec: { command: ['sh', '-c', 'test -e /tmp/full'] }, periodSeconds: 1 },
  }
  await apply(
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'silent', namespace, labels },
      spec: { terminationGracePeriodSeconds: 0, containers: [container] },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'silent', namespace },
      spec: { selector: labels, ports: [{ port: silentPort }] },
    },
  )
  await podsReady(namespace, 'app=silent')
  await until('the service to lead to its pod', 30_000, isSilent)
}
