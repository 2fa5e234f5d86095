// "kubectl port-forward" of ports of a pod, at loopback ports that it chose.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { kubeconfig, kubectlProgram } from '../../cluster/stage/kubectl.ts'
import { linesOf } from '../../stage/lines.ts'

export type KubectlForward = {
  readonly pid: number
  /** "127.0.0.1:40000", which leads to this port of the pod. */
  addressOf(podPort: number): string
  dial(podPort: number): Promise<Socket>
  end(): Promise<void>
}

export async function startKubectlForward(
  namespace: string,
  pod: string,
  podPorts: readonly number[],
): Promise<KubectlForward> {
  const args = ['port-forward', `pod/${pod}`, ...podPorts.map(port => `:${port}`), '--address=127.0.0.1']
  const child = spawn(kubectlProgram, ['--kubeconfig', kubeconfig, '-n', namespace, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = linesOf(child.stdout)
  const ports = new Map<number, number>()
  for (const port of podPorts) {
    const line = await lines.until('the port of kubectl', text => text.endsWith(`-> ${port}`))
    ports.set(port, Number(/:(\d+) ->/.exec(line)?.[1]))
  }
  return {
    pid: child.pid!,
    addressOf: podPort => `127.0.0.1:${ports.get(podPort)}`,
    async dial(podPort) {
      const socket = connect({ host: '127.0.0.1', port: ports.get(podPort)!, noDelay: true })
      await once(socket, 'connect')
      return socket
    },
    async end() {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    },
  }
}
