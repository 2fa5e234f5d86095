// How server and agent greet each other: the agent shows a nonce, the server signs it, and both say what they have received so far.
//
//   agent  -> server   {"version":1,"role":"agent","session":"s1","nonce":"<32 bytes hex>","received":"0"}
//   server -> agent    {"version":1,"role":"server","session":"s1","signature":"<64 bytes hex>","received":"0"}
//   agent  -> server   ack: accepted; or reset of stream 0 with the reason: refused for good, trying again is useless
//
// The signature is Ed25519 over `signedText(session, nonce)`. `received` is the highest sequence received in order, as decimal text;
// both then send again what the other has not received. The agent closes a link whose first frame is not a right hello within 5 s.
import * as t from 'io-ts'
import { count, object, oneOf } from '../codec.ts'

const decimal = t.string

export const agentHello = object('AgentHello', {
  version: [count, 'version of the wire'],
  role: [oneOf('agent'), 'who speaks'],
  session: [t.string, 'session that the agent was made for'],
  nonce: [t.string, '32 random bytes as hex, made for this connection'],
  received: [decimal, 'highest sequence received in order'],
})
export type AgentHello = t.TypeOf<typeof agentHello>

export const serverHello = object('ServerHello', {
  version: [count, 'version of the wire'],
  role: [oneOf('server'), 'who speaks'],
  session: [t.string, 'session'],
  signature: [t.string, 'Ed25519 signature as hex'],
  received: [decimal, 'highest sequence received in order'],
})
export type ServerHello = t.TypeOf<typeof serverHello>

export const helloTimeoutMs = 5_000

/** What the server signs: bound to the session, so that a signature for one agent is worth nothing to another. */
export function signedText(session: string, nonce: string): Buffer {
  return Buffer.from(`standin link hello\n${session}\n${nonce}\n`)
}
