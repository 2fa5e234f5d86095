// Pods that do nothing but hold a program of the benchmarks, which is copied into them: no image has it.
import { spawn } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { apply, kubeconfig, kubectlProgram, podsReady } from '../../cluster/stage/kubectl.ts'
import { agentImage } from '../../cluster/stage/session-run.ts'

/** Starts the pods, which have the label "app=load", and puts the program at /tmp/program of each; all on this node, if it is given. */
export async function startProgramPods(
  namespace: string,
  names: readonly string[],
  file: string,
  node?: string,
): Promise<void> {
  await apply(...names.map(name => pod(name, namespace, node)))
  await podsReady(namespace, 'app=load')
  await Promise.all(names.map(name => copyProgram(namespace, name, file)))
}

/** For a shell: starts what prints "listening" and serves until its input ends, and gives it one that never ends. */
export const serving = (command: string): string =>
  `(tail -f /dev/null | ${command}) </dev/null >/tmp/out 2>&1 & until grep -q listening /tmp/out; do sleep 0.1; done`

const pod = (name: string, namespace: string, node?: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace, labels: { app: 'load', name } },
  spec: {
    ...(node === undefined ? {} : { nodeName: node }),
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
  const command = ['exec', '-i', name, '--', 'sh', '-c', 'cat >/tmp/program && chmod +x /tmp/program']
  const child = spawn(kubectlProgram, ['--kubeconfig', kubeconfig, '-n', namespace, ...command], {
    stdio: ['pipe', 'inherit', 'inherit'],
  })
  const ended = new Promise<number | null>(resolve => child.once('exit', resolve))
  await pipeline(createReadStream(file), child.stdin)
  const code = await ended
  if (code !== 0) throw new Error(`Cannot copy the program into pod ${name}: kubectl ended with ${code}`)
}
