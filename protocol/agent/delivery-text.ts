// What the server signs when it delivers an agent; apart from the codecs, since the bootstrap in the pod has no room for them.

/** Bound to this connection's nonce and to the arguments, so that a recorded delivery is worth nothing. */
export function deliveryText(nonce: string, argv: readonly string[]): Buffer {
  return Buffer.from(`standin delivery\n${nonce}\n${JSON.stringify(argv)}\n`)
}

/** Exit codes of the bootstrap, each with one line on standard error. */
export const bootstrapExit = {
  /** Nothing was delivered in time: EX_TEMPFAIL of sysexits.h. */
  waited: 75,
  /** This Node.js cannot check the signature: EX_CONFIG. */
  unfit: 78,
  /** The port is taken (EADDRINUSE is 98 on Linux). */
  portTaken: 98,
} as const

/** Bounds that the bootstrap holds the other end to, and the server keeps. */
export const deliveryBounds = {
  /** The line before the signature is checked. */
  headerBytes: 16 << 10,
  /** Manifest and bundle together. */
  bodyBytes: 8 << 20,
  /** Connections that have not proved who they are; the oldest makes room. */
  greeting: 8,
  greetingMs: 10_000,
  /** From a right signature to the last byte. */
  bodyMs: 60_000,
} as const
