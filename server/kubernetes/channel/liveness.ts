// Decides by pings whether a WebSocket of a channel still reaches the pod's node; plain values, no timer of its own.

/** Idle load balancers and NATs drop a connection after 30 s at the least of the usual defaults (AWS NLB 350 s, Azure 240 s, HAProxy 50 s). */
export const pingEveryMs = 10_000
/** How long the answer of a ping may take: with `pingEveryMs`, a dead connection is noticed within 25 s. */
export const pongWithinMs = 12_000
/** How long silence may last until somebody in doubt asks the API server, which may take 10 s: 25 s again. */
const doubtAfterMs = 2_000

export type Pulse = {
  nowMs: number
  /** When anything came last: data or an answered ping. */
  heardAtMs: number
  /** When the last ping was sent; undefined before the first. */
  pingAtMs: number | undefined
  /** That ping has no answer yet. */
  awaiting: boolean
  /** We do not read at the moment, so no answer can come. */
  paused: boolean
  /** Data of ours went out between the last answered ping and this one. */
  behindData: boolean
  /** The API server has answered somebody in doubt since that ping. */
  assured: boolean
}

/**
 * `doubt`: the ping waits behind data of ours. The node's end reads one frame after the other and stops while the pod's program does not read,
 * so the pong of a live connection may take as long as that program likes: silence alone proves nothing, and a live connection that is
 * killed loses bytes. Who is in doubt asks the API server over another connection. What this misses, a single connection that died with our data on
 * it, the kernel notices by its retransmissions, and the link by its own heartbeat.
 */
export function judge(pulse: Pulse): 'wait' | 'ping' | 'doubt' | 'dead' {
  if (pulse.paused) return 'wait'
  if (!pulse.awaiting) {
    const since = pulse.pingAtMs ?? pulse.heardAtMs
    return pulse.nowMs - since >= pingEveryMs ? 'ping' : 'wait'
  }
  const silentSinceMs = Math.max(pulse.heardAtMs, pulse.pingAtMs ?? pulse.heardAtMs)
  const patienceMs = pulse.behindData && !pulse.assured ? doubtAfterMs : pongWithinMs
  if (pulse.nowMs - silentSinceMs < patienceMs) return 'wait'
  return pulse.behindData ? 'doubt' : 'dead'
}
