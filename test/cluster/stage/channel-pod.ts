// A pod for the channel tests and benchmarks: what runs in it (channel-program.cjs) sends and receives what a connection orders.
import { createCipheriv, createHash, type Hash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { portForward } from '../../../server/kubernetes/channel/port-forward.ts'
import type { Api } from '../../../server/kubernetes/client/api.ts'
import { openApi } from '../../../server/kubernetes/client/open.ts'
import { apply, freshNamespace, kubeconfig, podsReady } from './kubectl.ts'

export const orderPort = 7000
export const echoPort = 7001
const seenPort = 7002

/** What the pod's end of one connection does; see channel-program.cjs. */
export type Order = {
  name?: string
  seed?: string
  send?: number
  receive?: number
  pauses?: boolean
  delayMs?: number
  endless?: boolean
  stall?: boolean
  endFirst?: boolean
  reset?: boolean
}

export type Seen = { sent: number; received: number; ended: boolean; closed: boolean }

export type ChannelPod = {
  readonly api: Api
  readonly namespace: string
  readonly pod: string
  connect(port: number, signal?: AbortSignal): Promise<Duplex>
  /** A connection whose pod end follows the order. */
  order(order: Order): Promise<Duplex>
  /** What the pod's end of an order saw until now. */
  seen(name: string): Promise<Seen>
  end(): Promise<void>
}

const log = { level: 'error', write: () => {}, close: () => {} } as const

/** The test cluster's API by a kubeconfig, the administrator's by default. */
export function openTestApi(file: string = kubeconfig): Promise<Api> {
  return openApi({ kubeconfig: file }, { log })
}

export async function startChannelPod(name = 'channel'): Promise<ChannelPod> {
  const { name: namespace, remove } = await freshNamespace('channel')
  const pod = name
  await apply(podObject(pod, namespace))
  await podsReady(namespace, 'app=channel')
  const api = await openTestApi()
  const connect = async (port: number, signal = new AbortController().signal) => {
    const connection = await portForward(api, { namespace, pod, port, signal })
    // Tests look at `errored`.
    return connection.on('error', () => {})
  }
  return {
    api,
    namespace,
    pod,
    connect,
    async order(order) {
      const connection = await connect(orderPort)
      connection.write(`${JSON.stringify(order)}\n`)
      return connection
    },
    async seen(orderName) {
      const connection = await connect(seenPort)
      const [text] = (await once(connection, 'data')) as [Buffer]
      connection.destroy()
      return JSON.parse(text.toString())[orderName]
    },
    async end() {
      api.close()
      await remove()
    },
  }
}

export function podObject(name: string, namespace: string): object {
  const program = readFileSync(join(import.meta.dirname, 'channel-program.cjs'), 'utf8')
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: 'channel' } },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: 'main',
          image: 'localhost/node:20',
          imagePullPolicy: 'IfNotPresent',
          command: ['node', '-e', program],
          readinessProbe: { tcpSocket: { port: seenPort }, periodSeconds: 1 },
        },
      ],
    },
  }
}

/** An endless run of bytes that both ends can make; the pod's is the same. */
export function keystream(seed: string): (bytes: number) => Buffer {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16))
  return bytes => cipher.update(Buffer.alloc(bytes))
}

export function hashOfKeystream(seed: string, bytes: number): string {
  const hash = createHash('sha256')
  const next = keystream(seed)
  for (let left = bytes; left > 0; left -= 65_536) hash.update(next(Math.min(left, 65_536)))
  return hash.digest('hex')
}

/** Writes so much of the keystream, waiting for the stream, at times a little longer. */
export async function writeKeystream(
  stream: NodeJS.WritableStream,
  seed: string,
  bytes: number,
  pauses = false,
): Promise<void> {
  const next = keystream(seed)
  for (let left = bytes; left > 0; ) {
    const chunk = next(Math.min(left, pauses ? 1 + Math.floor(Math.random() * 200_000) : 65_536))
    left -= chunk.length
    if (!stream.write(chunk)) await once(stream, 'drain')
    if (pauses) await perhapsPause()
  }
}

/** Reads until so many bytes came or the stream ended; the rest is given back to the stream. */
export async function readBytes(
  stream: Duplex,
  bytes: number,
  options: { pauses?: boolean; hash?: Hash } = {},
): Promise<{ bytes: number; hash: string }> {
  const hash = options.hash ?? createHash('sha256')
  let read = 0
  while (read < bytes && !stream.readableEnded) {
    const chunk = stream.read() as Buffer | null
    if (chunk === null) {
      if (stream.destroyed) throw stream.errored ?? new Error(`the connection closed after ${read} bytes`)
      await change(stream)
      continue
    }
    const mine = chunk.subarray(0, bytes - read)
    if (mine.length < chunk.length) stream.unshift(chunk.subarray(mine.length))
    read += mine.length
    hash.update(mine)
    if (options.pauses) await perhapsPause()
  }
  return { bytes: read, hash: hash.digest('hex') }
}

/** Resolves when there is more to read, or nothing more will come. */
function change(stream: Duplex): Promise<void> {
  return new Promise(resolve => {
    const events = ['readable', 'end', 'close']
    const changed = () => {
      for (const event of events) stream.off(event, changed)
      resolve()
    }
    for (const event of events) stream.on(event, changed)
  })
}

async function perhapsPause(): Promise<void> {
  if (Math.random() < 0.03) await delay(1 + Math.random() * 20)
}
