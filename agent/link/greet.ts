// Finds out whether a connection comes from the server that made this agent: a nonce goes out, its signature comes back.
import { type KeyObject, randomBytes, verify } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { decode } from '../../protocol/codec.ts'
import { Failure } from '../../protocol/errors.ts'
import { greetingFrame, readFirstFrame, receivedCount } from '../../protocol/link/first-frame.ts'
import { type Frame, frameType } from '../../protocol/link/frame.ts'
import { type AgentHello, helloTimeoutMs, serverHello, signedText } from '../../protocol/link/hello.ts'
import { parseJson } from '../../protocol/link/payload.ts'
import { linkVersion } from '../../protocol/version.ts'

export type Greeting = { session: string; publicKey: KeyObject; received: bigint; signal: AbortSignal }

/**
 * Greets, and gives what the other end has received. Throws `link-version`, `link-refused` or `frame-invalid`; nothing that was said
 * before the signature is right can do more than end this connection. A wrong hello is told why; a missing one is not, because
 * the server takes a refusal as final, and a laptop that fell asleep while greeting shall come back.
 */
export async function greetServer(connection: Duplex, greeting: Greeting): Promise<bigint> {
  const nonce = randomBytes(nonceBytes).toString('hex')
  const hello: AgentHello = {
    version: linkVersion,
    role: 'agent',
    session: greeting.session,
    nonce,
    received: greeting.received.toString(),
  }
  connection.write(greetingFrame('hello', hello))
  const frame = await readFirstFrame(connection, helloTimeoutMs, greeting.signal)
  try {
    return checkHello(frame, greeting, nonce)
  } catch (error) {
    refuse(connection, error)
    throw error
  }
}

/** Says why the link can't be had, now or later. The caller closes the connection. */
export function refuse(connection: Duplex, error: unknown): void {
  const reason = error instanceof Failure ? error.message : 'an error of the agent itself'
  connection.write(greetingFrame('reset', { reason }))
}

/** What a server's hello says it has received, when version, session and signature are right. */
export function checkHello(
  frame: Frame,
  { session, publicKey }: Pick<Greeting, 'session' | 'publicKey'>,
  nonce: string,
): bigint {
  if (frame.type !== frameType.hello)
    throw new Failure('frame-invalid', { reason: `the first frame has type ${frame.type}` })
  const value = parseJson(frame.payload)
  // Before the shape: a hello of another version may have other fields.
  const { version } = (value ?? {}) as { version?: unknown }
  if (typeof version === 'number' && version !== linkVersion)
    throw new Failure('link-version', { theirs: version, ours: linkVersion })
  const hello = decode(serverHello, value)
  if (!hello.ok)
    throw new Failure('link-refused', { reason: `the hello is wrong (${hello.faults.join('; ')})` })
  if (hello.value.session !== session)
    throw new Failure('link-refused', { reason: 'it is for another session' })
  const signature = Buffer.from(hello.value.signature, 'hex')
  if (!verify(null, signedText(session, nonce), publicKey, signature))
    throw new Failure('link-refused', { reason: 'the signature is wrong' })
  const received = receivedCount(hello.value.received)
  if (received === undefined)
    throw new Failure('link-refused', { reason: 'the count of received frames is wrong' })
  return received
}

const nonceBytes = 32
