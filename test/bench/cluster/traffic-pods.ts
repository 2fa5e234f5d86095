// A server in a pod, and a pod beside it on its node that a session stands in for: both hold the benchmarks' traffic program.
import { apply, freshNamespace, kubectl, objectOf } from '../../cluster/stage/kubectl.ts'
import { compilePrograms } from '../compile.ts'
import { serving, startProgramPods } from './program-pod.ts'

export const serverPort = 8080

export type TrafficPods = {
  readonly namespace: string
  /** The traffic program, on this machine. */
  readonly program: string
  /** "10.0.0.1:8080" */
  readonly address: string
  /** A name of the server that every resolver of the pod takes as it is. */
  readonly name: string
  end(): Promise<void>
}

/** Pods "server" and "caller". */
export async function startTrafficPods(): Promise<TrafficPods> {
  const programs = compilePrograms()
  const { name: namespace, remove } = await freshNamespace('bench-traffic')
  await startProgramPods(namespace, ['server'], programs.traffic)
  const server = await objectOf(['-n', namespace, 'pod', 'server'])
  await startProgramPods(namespace, ['caller'], programs.traffic, server.spec.nodeName)
  const serve = serving(`/tmp/program serve 0.0.0.0:${serverPort}`)
  await kubectl(['-n', namespace, 'exec', 'server', '--', 'sh', '-c', serve])
  await apply({
    ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'server', namespace } },
    spec: { clusterIP: 'None', selector: { name: 'server' } },
  })
  return {
    namespace,
    program: programs.traffic,
    address: `${server.status.podIP}:${serverPort}`,
    name: `server.${namespace}.svc.cluster.local.`,
    async end() {
      programs.remove()
      await remove()
    },
  }
}
