// Proves to an agent that this is the server that made it, and learns whether the agent accepts.
import { type KeyObject, sign } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { decode } from '../../protocol/codec.ts'
import { Failure } from '../../protocol/errors.ts'
import { greetingFrame, readFirstFrame, receivedCount } from '../../protocol/link/first-frame.ts'
import { type Frame, frameType } from '../../protocol/link/frame.ts'
import {
  type AgentHello,
  agentHello,
  helloTimeoutMs,
  type ServerHello,
  signedText,
} from '../../protocol/link/hello.ts'
import { parseJson, reasonOf } from '../../protocol/link/payload.ts'
import { linkVersion } from '../../protocol/version.ts'

export type Greeting = { session: string; privateKey: KeyObject; received: bigint; signal: AbortSignal }

/** An answer that will be the same however often it is asked for: trying again is useless. */
export class Refusal extends Error {
  constructor(readonly failure: Failure) {
    super(failure.message, { cause: failure })
  }
}

/** Greets, and gives what the agent has received. Throws a `Refusal`, or a `Failure` when another try may do better. */
export async function greetAgent(connection: Duplex, greeting: Greeting): Promise<bigint> {
  const { session, privateKey, received, signal } = greeting
  const hello = checkHello(await readFirstFrame(connection, helloTimeoutMs, signal), session)
  const answer: ServerHello = {
    version: linkVersion,
    role: 'server',
    session,
    signature: sign(null, signedText(session, hello.nonce), privateKey).toString('hex'),
    received: received.toString(),
  }
  connection.write(greetingFrame('hello', answer))
  checkVerdict(await readFirstFrame(connection, helloTimeoutMs, signal))
  return hello.count
}

/** The agent's nonce and what it has received. */
export function checkHello(frame: Frame, session: string): { nonce: string; count: bigint } {
  if (frame.type !== frameType.hello)
    throw new Failure('frame-invalid', { reason: `the first frame has type ${frame.type}` })
  const value = parseJson(frame.payload)
  // Before the shape: a hello of another version may have other fields.
  const { version } = (value ?? {}) as Partial<AgentHello>
  if (typeof version === 'number' && version !== linkVersion)
    throw new Refusal(new Failure('link-version', { theirs: version, ours: linkVersion }))
  const hello = decode(agentHello, value)
  if (!hello.ok) throw refusal(`the agent's hello is wrong (${hello.faults.join('; ')})`)
  if (hello.value.session !== session) throw refusal('the agent belongs to another session')
  const count = receivedCount(hello.value.received)
  if (count === undefined) throw refusal("the agent's count of received frames is wrong")
  return { nonce: hello.value.nonce, count }
}

/** An accepted hello is answered with an ack, a refused one with a reset that says why. */
function checkVerdict(frame: Frame): void {
  if (frame.type === frameType.reset) throw refusal(`the agent answered "${reasonOf(frame.payload)}"`)
  if (frame.type !== frameType.ack)
    throw new Failure('frame-invalid', { reason: `the hello was answered with type ${frame.type}` })
}

function refusal(reason: string): Refusal {
  return new Refusal(new Failure('link-refused', { reason }))
}
