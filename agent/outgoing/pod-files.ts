// What of the pod's files its forwards need; who gives it depends on where the agent runs.
import type { Duplex } from 'node:stream'

export type PodFiles = {
  /** A file by which names are looked up, as it is at the moment; "" if there is none. Throws with the `code` of the errno. */
  nameFile(path: '/etc/hosts' | '/etc/resolv.conf'): string
  /**
   * A connection to the Unix socket at a path of the pod, or to the abstract one after @. Never waits: throws with the errno as `code`, EAGAIN
   * when the listener's queue is full. One that keeps message boundaries (`seqpacket`) gives and takes frames of sequenced/frame.ts.
   */
  connectUnix(path: string, options?: { seqpacket?: boolean }): Duplex
}
