// Fakes for the tests of the link: pairs of in-memory carriers that deliver, delay, hold or cut bytes as a test says.
import { Duplex } from 'node:stream'
import { createEndpoint, type Endpoint, type EndpointOptions } from '../../../protocol/link/endpoint.ts'
import type { LinkStream, StreamData } from '../../../protocol/link/link-stream.ts'

/** One end of an in-memory connection. What is written is seen by `onBytes`; nothing is delivered by itself. */
export class FakeCarrier extends Duplex {
  constructor(private readonly onBytes: (bytes: Buffer, done: () => void) => void) {
    super({ allowHalfOpen: false })
  }
  override _read(): void {}
  override _write(bytes: Buffer, _encoding: string, done: () => void): void {
    this.onBytes(bytes, done)
  }
  deliver(bytes: Buffer): void {
    if (!this.destroyed) this.push(bytes)
  }
}

export type PairOptions = {
  /** Cut the connection when so many bytes have passed, both directions together; the bytes past it are lost. */
  cutAfterBytes?: number
  /** Called for each piece before it is delivered; resolves when it may go on. */
  delay?(): Promise<void>
}

/** Two carriers that deliver to each other in order. */
export function carrierPair({
  cutAfterBytes = Infinity,
  delay,
}: PairOptions = {}): [FakeCarrier, FakeCarrier] {
  let leftBytes = cutAfterBytes
  const cut = (): void => {
    for (const carrier of pair) carrier.destroy()
  }
  const passTo =
    (index: 0 | 1) =>
    async (bytes: Buffer, done: () => void): Promise<void> => {
      await delay?.()
      const passing = bytes.subarray(0, leftBytes)
      leftBytes -= bytes.length
      if (passing.length > 0) pair[index].deliver(Buffer.from(passing))
      if (leftBytes < 0) cut()
      done()
    }
  const pair: [FakeCarrier, FakeCarrier] = [new FakeCarrier(passTo(1)), new FakeCarrier(passTo(0))]
  for (const carrier of pair) carrier.once('close', cut)
  return pair
}

export const ignored: Pick<EndpointOptions, 'onControl' | 'onOpen' | 'onDetached'> = {
  onControl() {},
  onOpen() {},
  onDetached() {},
}

export function endpointPair(
  server: Partial<EndpointOptions> = {},
  agent: Partial<EndpointOptions> = {},
): { server: Endpoint; agent: Endpoint } {
  return {
    server: createEndpoint({ ...ignored, ...server, role: 'server' }),
    agent: createEndpoint({ ...ignored, ...agent, role: 'agent' }),
  }
}

/** Connects both ends by a fresh pair, as if their hellos were done. */
export function join(
  ends: { server: Endpoint; agent: Endpoint },
  options?: PairOptions,
): [FakeCarrier, FakeCarrier] {
  const pair = carrierPair(options)
  const counts = [ends.server.received, ends.agent.received] as const
  ends.server.attach(pair[0], counts[1])
  ends.agent.attach(pair[1], counts[0])
  return pair
}

/** Waits until the condition holds, looking again after each turn of the event loop. */
export async function until(what: string, condition: () => boolean, turns = 20_000): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) {
    if (condition()) return
    await new Promise(resolve => setImmediate(resolve))
  }
  throw new Error(`Waited in vain for ${what}`)
}

/** Streams that one end accepted, with everything that their readers heard; data is granted back unless `grants` is false. */
export function listener({ grants = true } = {}) {
  const streams: { stream: LinkStream; payload: unknown; data: StreamData[]; over: string[] }[] = []
  const onOpen = (stream: LinkStream, payload: unknown): void => {
    const heard = { stream, payload, data: [] as StreamData[], over: [] as string[] }
    streams.push(heard)
    stream.events = {
      data(data) {
        heard.data.push({ ...data, bytes: Buffer.from(data.bytes) })
        if (grants) stream.grant(data.bytes.length)
      },
      end: () => heard.over.push('end'),
      reset: reason => heard.over.push(`reset: ${reason}`),
    }
  }
  return { streams, onOpen }
}

export const textOf = (data: StreamData[]): string => Buffer.concat(data.map(({ bytes }) => bytes)).toString()
export const bytesOf = (data: StreamData[]): number => data.reduce((sum, { bytes }) => sum + bytes.length, 0)
