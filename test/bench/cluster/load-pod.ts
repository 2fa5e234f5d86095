// A server and callers in pods, both the benchmarks' load program, which is copied into them: no image has it.
import { freshNamespace, kubectl, objectOf } from '../../cluster/stage/kubectl.ts'
import { compilePrograms, type Programs } from '../compile.ts'
import { serving, startProgramPods } from './program-pod.ts'

export type LoadPods = {
  readonly programs: Programs
  readonly namespace: string
  /** What standin takes as target. */
  readonly target: string
  /** "10.0.0.1:8080", the server's. */
  readonly address: string
  readonly node: string
  /** Runs the load program among the callers and gives what it printed, as JSON. */
  call(...args: string[]): Promise<Record<string, number>>
  end(): Promise<void>
}

export async function startLoadPods(): Promise<LoadPods> {
  const programs = compilePrograms()
  const { name: namespace, remove } = await freshNamespace('bench')
  await startProgramPods(namespace, ['server', 'callers'], programs.load)
  const server = await objectOf(['-n', namespace, 'pod', 'server'])
  const inside = (name: string, command: string) => ['-n', namespace, 'exec', name, '--', 'sh', '-c', command]
  await kubectl(inside('server', serving('/tmp/program serve 0.0.0.0:8080')))
  const address = `${server.status.podIP}:8080`
  return {
    programs,
    namespace,
    target: 'pod/server',
    address,
    node: server.spec.nodeName,
    call: async (...args) =>
      JSON.parse(await kubectl(inside('callers', `/tmp/program ${args.join(' ')}`), { timeoutMs: 300_000 })),
    async end() {
      programs.remove()
      await remove()
    },
  }
}
