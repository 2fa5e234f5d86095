// Decides by pings whether a WebSocket of a channel still reaches the pod's node; plain values, no timer of its own.

/** Idle load balancers and NATs drop a connection after 30 s at the least of the usual defaults (AWS NLB 350 s, Azure 240 s, HAProxy 50 s). */
export const pingEveryMs = 10_000
/** How long the answer of a ping may take: with `pingEveryMs`, a dead connection is noticed within 25 s. */
export const pongWithinMs = 15_000

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
}

/**
 * `doubt`: the ping waits behind data of ours. The node's end reads one frame after the other and stops while the pod's program does not read,
 * so the pong of a live connection may take as long as that program likes: silence alone proves nothing, and a live connection that is
 * killed loses bytes. Who is in doubt asks the API server another way.
 */
export function judge(pulse: Pulse): 'wait' | 'ping' | 'doubt' | 'dead' {
  if (pulse.paused) return 'wait'
  if (!pulse.awaiting) {
    const since = pulse.pingAtMs ?? pulse.heardAtMs
    return pulse.nowMs - since >= pingEveryMs ? 'ping' : 'wait'
  }
  const silentSinceMs = Math.max(pulse.heardAtMs, pulse.pingAtMs ?? pulse.heardAtMs)
  if (pulse.nowMs - silentSinceMs < pongWithinMs) return 'wait'
  return pulse.behindData ? 'doubt' : 'dead'
}
