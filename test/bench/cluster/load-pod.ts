// A server and callers in pods, both the benchmarks' load program, which is copied into them: no image has it.
import { spawn } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import {
  apply,
  freshNamespace,
  kubeconfig,
  kubectl,
  kubectlProgram,
  objectOf,
  podsReady,
} from '../../cluster/stage/kubectl.ts'
import { agentImage } from '../../cluster/stage/session-run.ts'
import { compilePrograms, type Programs } from '../compile.ts'

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
  await apply(pod('server', namespace), pod('callers', namespace))
  await podsReady(namespace, 'app=load')
  await Promise.all(['server', 'callers'].map(name => copyProgram(namespace, name, programs.load)))
  const server = await objectOf(['-n', namespace, 'pod', 'server'])
  const inside = (name: string, command: string) => ['-n', namespace, 'exec', name, '--', 'sh', '-c', command]
  // The server ends with its input, so it is given one that never ends.
  await kubectl(
    inside(
      'server',
      '(tail -f /dev/null | /tmp/load serve 0.0.0.0:8080) </dev/null >/tmp/out 2>&1 & until grep -q listening /tmp/out; do sleep 0.1; done',
    ),
  )
  const address = `${server.status.podIP}:8080`
  return {
    programs,
    namespace,
    target: 'pod/server',
    address,
    node: server.spec.nodeName,
    call: async (...args) =>
      JSON.parse(await kubectl(inside('callers', `/tmp/load ${args.join(' ')}`), { timeoutMs: 300_000 })),
    async end() {
      programs.remove()
      await remove()
    },
  }
}

const pod = (name: string, namespace: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace, labels: { app: 'load' } },
  spec: {
    terminationGracePeriodSeconds: 0,
    automountServiceAccountToken: false,
    containers: [
      {
        ...{
          name: 'main',
          image: agentImage,
          imagePullPolicy: 'IfNotPresent',
          ports: [{ containerPort: 8080 }],
        },
        command: ['node', '-e', 'setInterval(() => {}, 1 << 30)'],
      },
    ],
  },
})

async function copyProgram(namespace: string, name: string, file: string): Promise<void> {
  const command = ['exec', '-i', name, '--', 'sh', '-c', 'cat >/tmp/load && chmod +x /tmp/load']
  const child = spawn(kubectlProgram, ['--kubeconfig', kubeconfig, '-n', namespace, ...command], {
    stdio: ['pipe', 'inherit', 'inherit'],
  })
  const ended = new Promise<number | null>(resolve => child.once('exit', resolve))
  await pipeline(createReadStream(file), child.stdin)
  const code = await ended
  if (code !== 0) throw new Error(`Cannot copy the load program into pod ${name}: kubectl ended with ${code}`)
}
