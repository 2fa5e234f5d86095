// A link that is cut at any byte goes on without losing or doubling one; cuts and traffic are random.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import type { LinkStream } from '../../../protocol/link/link-stream.ts'
import { endpointPair, join, until } from './carriers.ts'

const hashOf = (parts: Buffer[]): string => createHash('sha256').update(Buffer.concat(parts)).digest('hex')
/** Bytes of which no two pieces are alike, so that a lost, doubled or exchanged one changes the hash. */
const patternOf = (bytes: number, seed: number): Buffer =>
  Buffer.from(
    Uint32Array.from({ length: bytes / 4 + 1 }, (_, at) => at * 2_654_435_761 + seed).buffer,
    0,
    bytes,
  )

/** Collects what arrives at one end: bytes of each stream by the name it was opened with, ends, and control values. */
function collector() {
  const streams = new Map<string, { parts: Buffer[]; over: string[] }>()
  const control: unknown[] = []
  const collect = (name: string, stream: LinkStream): void => {
    const heard = { parts: [] as Buffer[], over: [] as string[] }
    streams.set(name, heard)
    stream.events = {
      data({ bytes }) {
        heard.parts.push(Buffer.from(bytes))
        stream.grant(bytes.length)
      },
      end: () => heard.over.push('end'),
      reset: reason => heard.over.push(`reset: ${reason}`),
    }
  }
  return { streams, control, collect }
}

type Plan = { writes: number[]; cuts: number[]; both: boolean; delayed: boolean }
const plans: fc.Arbitrary<Plan> = fc.record({
  writes: fc.array(fc.integer({ min: 1, max: 150_000 }), { minLength: 1, maxLength: 12 }),
  cuts: fc.array(fc.oneof(fc.nat(200), fc.nat(300_000)), { maxLength: 12 }),
  both: fc.boolean(),
  delayed: fc.boolean(),
})

async function carry({ writes, cuts, both, delayed }: Plan): Promise<void> {
  const atServer = collector()
  const atAgent = collector()
  const ends = endpointPair(
    {
      resendBytes: 200_000,
      onControl: value => atServer.control.push(value),
      onOpen: (stream, payload) => {
        const { name } = payload as { name: string }
        atServer.collect(name, stream)
        if (!both) return
        stream.write({ bytes: patternOf(10_000, Number(name)) })
        stream.end()
      },
    },
    { resendBytes: 200_000 },
  )
  const delay = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
  const joinNext = (cutAfterBytes?: number): void => {
    join(ends, {
      ...(cutAfterBytes === undefined ? {} : { cutAfterBytes }),
      ...(delayed ? { delay } : {}),
    })
  }
  const cutsLeft = [...cuts]
  joinNext(cutsLeft.shift())
  for (const [n, bytes] of writes.entries()) {
    const stream = ends.agent.open({ name: String(n) }, { oneWay: !both })
    if (both) atAgent.collect(String(n), stream)
    stream.write({ bytes: patternOf(bytes, n) })
    stream.end()
    ends.agent.control({ n })
  }
  const done = (): boolean =>
    atServer.control.length === writes.length &&
    [...atServer.streams.values(), ...atAgent.streams.values()].every(({ over }) => over.length > 0) &&
    atServer.streams.size === writes.length
  await until('every stream to end', () => {
    if (!ends.server.attached || !ends.agent.attached) {
      ends.server.detach('cut')
      ends.agent.detach('cut')
      joinNext(cutsLeft.shift())
    }
    return done()
  })
  assert.deepEqual(
    atServer.control,
    writes.map((_, n) => ({ n })),
  )
  for (const [n, bytes] of writes.entries()) {
    const heard = atServer.streams.get(String(n))!
    assert.equal(hashOf(heard.parts), hashOf([patternOf(bytes, n)]))
    assert.deepEqual(heard.over, ['end'])
    if (!both) continue
    assert.equal(hashOf(atAgent.streams.get(String(n))!.parts), hashOf([patternOf(10_000, n)]))
    assert.deepEqual(atAgent.streams.get(String(n))!.over, ['end'])
  }
  ends.server.close('done')
  ends.agent.close('done')
}

describe('a link that is cut at any byte, any number of times', () => {
  it('loses no byte of any stream and delivers none twice', async () => {
    await fc.assert(fc.asyncProperty(plans, carry), { numRuns: 60 })
  })

  it('resumes when every connection dies after 20 bytes more than the last', async () => {
    const cuts = Array.from({ length: 400 }, (_, n) => 20 * n)
    await carry({ writes: [3_000, 1, 30_000], cuts, both: true, delayed: false })
  })
})
