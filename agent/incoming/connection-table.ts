// Finds the connection of a segment without allocating: a hash table over addresses and ports, bounded in size.
import type { Connection } from './connection.ts'
import type { Segment } from './segment.ts'

/** Addresses and ports as 32-bit words: the pod's address, the caller's, both ports. */
type Entry = { readonly key: Uint32Array; connection: Connection; next: Entry | undefined }

export class ConnectionTable {
  readonly #entries = new Map<number, Entry>()
  #size = 0

  get size(): number {
    return this.#size
  }

  find(view: DataView, segment: Segment, toPod: boolean): Connection | undefined {
    return this.#entry(view, segment, toPod)?.connection
  }

  /** The connection takes the place of the one that has these addresses and ports, if there is one. */
  put(view: DataView, segment: Segment, toPod: boolean, connection: Connection): void {
    const known = this.#entry(view, segment, toPod)
    if (known !== undefined) {
      known.connection = connection
      return
    }
    const hash = hashOf(view, segment, toPod)
    this.#entries.set(hash, { key: keyOf(view, segment, toPod), connection, next: this.#entries.get(hash) })
    this.#size++
  }

  /** Removes what `gone` says; it may be slow, and is called seldom. */
  sweep(gone: (connection: Connection) => boolean): void {
    for (const [hash, first] of this.#entries) {
      let kept: Entry | undefined
      for (let entry: Entry | undefined = first; entry !== undefined; ) {
        const following: Entry | undefined = entry.next
        if (gone(entry.connection)) this.#size--
        else {
          entry.next = kept
          kept = entry
        }
        entry = following
      }
      if (kept === undefined) this.#entries.delete(hash)
      else if (kept !== first) this.#entries.set(hash, kept)
    }
  }

  #entry(view: DataView, segment: Segment, toPod: boolean): Entry | undefined {
    let entry = this.#entries.get(hashOf(view, segment, toPod))
    while (entry !== undefined && !matches(entry.key, view, segment, toPod)) entry = entry.next
    return entry
  }

  *connections(): Iterable<Connection> {
    for (const first of this.#entries.values())
      for (let entry: Entry | undefined = first; entry !== undefined; entry = entry.next)
        yield entry.connection
  }
}

const portsOf = (segment: Segment, toPod: boolean): number =>
  toPod
    ? ((segment.destinationPort << 16) | segment.sourcePort) >>> 0
    : ((segment.sourcePort << 16) | segment.destinationPort) >>> 0

/** Where the pod's and the caller's addresses begin. */
const podAt = (segment: Segment, toPod: boolean): number =>
  segment.addressAt + (toPod ? segment.addressBytes : 0)
const callerAt = (segment: Segment, toPod: boolean): number =>
  segment.addressAt + (toPod ? 0 : segment.addressBytes)

/** 30 bits, so that it stays a small integer for the engine. */
function hashOf(view: DataView, segment: Segment, toPod: boolean): number {
  let hash = Math.imul(portsOf(segment, toPod), 0x9e3779b1)
  const [pod, caller] = [podAt(segment, toPod), callerAt(segment, toPod)]
  for (let at = 0; at < segment.addressBytes; at += 4) {
    hash = Math.imul(hash ^ (hash >>> 15) ^ view.getUint32(caller + at), 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 13) ^ view.getUint32(pod + at), 0xc2b2ae35)
  }
  return (hash ^ (hash >>> 16)) & 0x3fffffff
}

function matches(key: Uint32Array, view: DataView, segment: Segment, toPod: boolean): boolean {
  const words = segment.addressBytes / 4
  if (key.length !== words * 2 + 1 || key[words * 2] !== portsOf(segment, toPod)) return false
  const [pod, caller] = [podAt(segment, toPod), callerAt(segment, toPod)]
  for (let word = 0; word < words; word++) {
    if (key[word] !== view.getUint32(pod + word * 4)) return false
    if (key[words + word] !== view.getUint32(caller + word * 4)) return false
  }
  return true
}

function keyOf(view: DataView, segment: Segment, toPod: boolean): Uint32Array {
  const words = segment.addressBytes / 4
  const key = new Uint32Array(words * 2 + 1)
  for (let word = 0; word < words; word++) {
    key[word] = view.getUint32(podAt(segment, toPod) + word * 4)
    key[words + word] = view.getUint32(callerAt(segment, toPod) + word * 4)
  }
  key[words * 2] = portsOf(segment, toPod)
  return key
}
