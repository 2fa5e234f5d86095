// Our port-forward against kubectl's, down and up, and the time of an echo through each.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type ChannelPod, echoPort, orderPort, startChannelPod } from '../../cluster/stage/channel-pod.ts'
import { kubeconfig, kubectlProgram } from '../../cluster/stage/kubectl.ts'
import { linesOf } from '../../stage/lines.ts'
import { type Comparison, interleaved, median } from '../measure.ts'

const bytes = 256 << 20
const echoes = 300
type Dial = (port: number) => Promise<Duplex>

export async function benchPortForward(runs: number): Promise<Comparison[]> {
  const pod = await startChannelPod()
  const kubectl = await startKubectl(pod)
  const ours: Dial = port => pod.connect(port)
  const side = (measure: (dial: Dial) => Promise<number>) => ({
    baseline: () => measure(kubectl.dial),
    measured: () => measure(ours),
  })
  try {
    return [
      await interleaved('port-forward, 256 MiB down, ours against kubectl (goal: at most 1)', {
        runs,
        unit: 's',
        ...side(download),
      }),
      await interleaved('port-forward, 256 MiB up, ours against kubectl (goal: at most 1)', {
        runs,
        unit: 's',
        ...side(upload),
      }),
      await interleaved('port-forward, echo p50, ours against kubectl', { runs, unit: 'ms', ...side(echo) }),
    ]
  } finally {
    await kubectl.end()
    await pod.end()
  }
}

async function download(dial: Dial): Promise<number> {
  const stream = await dial(orderPort)
  const begin = performance.now()
  stream.write(`${JSON.stringify({ send: bytes })}\n`)
  let received = 0
  stream.on('data', (chunk: Buffer) => {
    received += chunk.length
  })
  await once(stream, 'end')
  const seconds = (performance.now() - begin) / 1000
  stream.destroy()
  if (received !== bytes) throw new Error(`${received} bytes came of ${bytes}`)
  return seconds
}

const block = Buffer.alloc(65_536)

async function upload(dial: Dial): Promise<number> {
  const stream = await dial(orderPort)
  const begin = performance.now()
  stream.write(`${JSON.stringify({ receive: bytes })}\n`)
  const answer = once(stream, 'data') as Promise<[Buffer]>
  for (let sent = 0; sent < bytes; sent += block.length) if (!stream.write(block)) await once(stream, 'drain')
  const [text] = await answer
  const seconds = (performance.now() - begin) / 1000
  stream.destroy()
  if (JSON.parse(text.toString()).received !== bytes) throw new Error(`the pod received ${text}`)
  return seconds
}

async function echo(dial: Dial): Promise<number> {
  const stream = await dial(echoPort)
  const times: number[] = []
  for (let i = 0; i < echoes; i++) {
    const begin = performance.now()
    stream.write('e')
    await once(stream, 'data')
    times.push(performance.now() - begin)
  }
  stream.destroy()
  return median(times)
}

/** kubectl with both ports on loopback ports that it chose. */
async function startKubectl(pod: ChannelPod): Promise<{ dial: Dial; end(): Promise<void> }> {
  const args = ['port-forward', `pod/${pod.pod}`, `:${orderPort}`, `:${echoPort}`, '--address=127.0.0.1']
  const child: ChildProcess = spawn(
    kubectlProgram,
    ['--kubeconfig', kubeconfig, '-n', pod.namespace, ...args],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const lines = linesOf(child.stdout)
  const localPort = async (port: number) => {
    const line = await lines.until('the port of kubectl', text => text.endsWith(`-> ${port}`))
    return Number(/:(\d+) ->/.exec(line)?.[1])
  }
  const ports = new Map([
    [orderPort, await localPort(orderPort)],
    [echoPort, await localPort(echoPort)],
  ])
  return {
    async dial(port) {
      const socket: Socket = connect({ host: '127.0.0.1', port: ports.get(port)!, noDelay: true })
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
