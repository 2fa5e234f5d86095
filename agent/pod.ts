// The agent as it is delivered into a pod: makes its files usable from memory, enters the target if there is one, and takes the bootstrap's place.
import type { Server, Socket } from 'node:net'
import { brotliDecompressSync } from 'node:zlib'
import { splitBundle } from '../protocol/agent/bundle.ts'
import { asFailure } from '../protocol/errors.ts'
import { type AttachOwnInvocation, type AttachPodInvocation, parseInvocation } from './arguments.ts'
import { captureFrom } from './incoming/capture-program.ts'
import { placeKoffi } from './linux/place-koffi.ts'
import { log } from './log.ts'
import { toldFailure } from './told.ts'

/** What the bootstrap hands over; from then on it does nothing but close connections that come before the agent listens. */
export type Handover = { argv: readonly string[]; bundle: Buffer; connection: Socket; server: Server }

/** For the last word to leave before the process ends. */
const lastWordMs = 2_000

/** Tells the outcome on the connection of the delivery; a failure ends the process. */
export function start({ argv, bundle, connection, server }: Handover): void {
  void attach(argv, bundle, server).then(
    () => connection.end('{"running":true}\n'),
    (thrown: unknown) => {
      const failure = asFailure(thrown, 'start of the agent')
      log(`${failure.message}${failure.data.detail === undefined ? '' : ` (${failure.data.detail})`}`)
      const end = () => process.exit(1)
      setTimeout(end, lastWordMs)
      connection.once('close', end)
      connection.end(`${JSON.stringify({ failure: toldFailure(failure) })}\n`)
    },
  )
}

async function attach(argv: readonly string[], bundle: Buffer, server: Server): Promise<void> {
  const invocation = parseInvocation(argv) as AttachPodInvocation | AttachOwnInvocation
  if (invocation.verb === 'attach-own') {
    const { attachOwn } = await import('./attach-own.ts')
    return attachOwn(invocation, server)
  }
  const files = splitBundle(bundle)
  placeKoffi(brotliDecompressSync(files['koffi.node']))
  captureFrom(brotliDecompressSync(files['agent-capture.cjs']).toString())
  // It calls into the C library through koffi, which has its place only by now.
  const { attachPod } = await import('./attach-pod.ts')
  await attachPod(invocation, server)
}
