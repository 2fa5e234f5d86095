// How the agent gets its code in a cluster: what the bootstrap in the pod and the server say to each other over the port-forward.
//
// The container runs `node -e BOOTSTRAP KEY HASH PORT SECONDS`: KEY is the server's Ed25519 public key (SPKI DER, base64), HASH the SHA-256
// (hex) of the manifest, PORT the port of 127.0.0.1 to listen on, SECONDS how long it waits for a delivery. Nothing in these arguments lets
// anyone in. How it ends when nobody delivers, and its bounds: delivery-text.ts.
//
//   bootstrap -> server   one line of JSON: DeliveryOffer
//   server -> bootstrap   one line of JSON: Delivery; then `manifestBytes` bytes of the manifest; then `bundleBytes` bytes of the bundle
//   bootstrap -> server   one line of JSON: DeliveryOutcome, when the agent has entered the target and listens in the bootstrap's place; or why not
//
// The manifest is text, one line a platform: `PLATFORM SHA256OFBUNDLE\n`. The bundle is that of bundle.ts; its "agent.cjs" runs with `argv`
// in the same process, from memory. The signature is Ed25519 over `deliveryText`. Whoever sends anything else is disconnected, and the
// bootstrap waits on. After the outcome every new connection is one of the link (protocol/link/hello.ts).
import * as t from 'io-ts'
import { count, object, oneOf } from '../codec.ts'
import { failureLine } from './invocation.ts'

/** Operating system, processor and C library, as koffi's builds are told apart. */
export const platforms = [
  'linux-x64-glibc',
  'linux-x64-musl',
  'linux-arm64-glibc',
  'linux-arm64-musl',
] as const
export const platform = oneOf(...platforms)
export type Platform = (typeof platforms)[number]

export const deliveryOffer = object('DeliveryOffer', {
  standin: [count, 'version of this exchange: 1'],
  nonce: [t.string, '32 random bytes as hex, made for this connection'],
  platform: [t.string, 'one of platforms, or what the node is instead'],
  node: [t.string, 'version of Node.js: "v22.1.0"'],
})
export type DeliveryOffer = t.TypeOf<typeof deliveryOffer>

export const delivery = object('Delivery', {
  signature: [t.string, 'Ed25519 signature of deliveryText as hex'],
  argv: [
    t.array(t.string),
    'arguments of the agent program: "attach-pod ..." or "attach-own ..." of protocol/agent/invocation.ts',
  ],
  manifestBytes: [count, 'length of the manifest'],
  bundleBytes: [count, 'length of the bundle'],
})
export type Delivery = t.TypeOf<typeof delivery>

export const deliveryOutcome = t.union([
  object('Delivered', { running: [t.literal(true), 'the agent runs'] }),
  failureLine,
])
