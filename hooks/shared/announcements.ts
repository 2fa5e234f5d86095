// Announced connections and wanted ports in memory that the supervisor's threads share, so that a blocked thread sees them at its next decision.

import { normalAddress } from '../../protocol/address.ts'
import type { Endpoint } from '../../protocol/codec.ts'
import { AF_INET, AF_INET6, readAddress, writeAddress } from '../address.ts'

// One slot for each source port and family, 80 bytes; a later announcement of the same port replaces an earlier one.
//  0  u32 state: 0 empty, 1 announced, 2 over
//  4  u32 announcement id, modulo 2^32
//  8  16 bytes source address     24  28 bytes caller (sockaddr_in6 form)     52  28 bytes pod (sockaddr_in6 form)
const empty = 0
const announced = 1
const over = 2
const slotBytes = 80
const ports = 65_536
const slotsBytes = 2 * ports * slotBytes

export type Announced = { caller: Endpoint; pod: Endpoint }
export type SharedMemory = { announcements: SharedArrayBuffer; wanted: SharedArrayBuffer }

export const makeSharedMemory = (): SharedMemory => ({
  announcements: new SharedArrayBuffer(slotsBytes),
  wanted: new SharedArrayBuffer(ports),
})

export type Announcements = {
  put(announcement: number, source: Endpoint, shown: Announced): void
  retract(announcement: number): void
  /** What was announced for a connection from `source`; it stays until it is taken or replaced. */
  find(source: Endpoint, isEnding?: IsEnding): Announced | undefined
  /** The same, and no other connection can match it any more. */
  take(source: Endpoint, isEnding: IsEnding): Announced | undefined
}

/**
 * Whether the connection in question is ending or ended. The server retracts when it has closed its side, or reset it: what the process still
 * holds of that connection, or has not accepted yet, is ending then, and a connection that is not is another one from the same port.
 */
export type IsEnding = () => boolean

export function openAnnouncements(memory: SharedArrayBuffer): Announcements {
  const bytes = Buffer.from(memory)
  const states = new Int32Array(memory)
  const slots = new Map<number, number>()
  const place = (source: Endpoint) =>
    ((source.address.includes(':') ? ports : 0) + (source.port & 0xffff)) * slotBytes

  function find(source: Endpoint, isEnding: IsEnding = () => false): Announced | undefined {
    const at = place(source)
    const state = Atomics.load(states, at / 4)
    if (state === empty || (state === over && !isEnding())) return undefined
    const announcement = states[at / 4 + 1]
    const announcedSource = writeAddress(AF_INET6, { address: source.address, port: 0 }).subarray(8, 24)
    if (!bytes.subarray(at + 8, at + 24).equals(announcedSource)) return undefined
    const caller = readAddress(bytes.subarray(at + 24, at + 52))
    const pod = readAddress(bytes.subarray(at + 52, at + 80))
    // Replaced while it was read.
    if (Atomics.load(states, at / 4) === empty || states[at / 4 + 1] !== announcement) return undefined
    return caller === undefined || pod === undefined ? undefined : { caller, pod }
  }

  return {
    put(announcement, source, shown) {
      const at = place(source)
      Atomics.store(states, at / 4, empty)
      bytes.writeUInt32LE(announcement >>> 0, at + 4)
      bytes.set(writeAddress(AF_INET6, { address: source.address, port: 0 }).subarray(8, 24), at + 8)
      bytes.set(writeAddress(AF_INET6, shown.caller), at + 24)
      bytes.set(writeAddress(AF_INET6, shown.pod), at + 52)
      Atomics.store(states, at / 4, announced)
      slots.set(announcement, at)
      for (const [oldest] of slots) {
        if (slots.size <= 2 * ports) break
        slots.delete(oldest)
      }
    },
    retract(announcement) {
      const at = slots.get(announcement)
      slots.delete(announcement)
      // One that was taken stays empty.
      if (at !== undefined && bytes.readUInt32LE(at + 4) === announcement >>> 0)
        Atomics.compareExchange(states, at / 4, announced, over)
    },
    find,
    take(source, isEnding) {
      const found = find(source, isEnding)
      if (found !== undefined) Atomics.store(states, place(source) / 4, empty)
      return found
    },
  }
}

/** Writes the set of wanted ports; a port that stays wanted is never shown as unwanted in between. */
export function setWanted(memory: SharedArrayBuffer, wantedPorts: readonly number[]): void {
  const wanted = new Uint8Array(memory)
  const set = new Set(wantedPorts)
  for (const port of set) Atomics.store(wanted, port, 1)
  for (let port = 0; port < ports; port++)
    if (wanted[port] !== 0 && !set.has(port)) Atomics.store(wanted, port, 0)
}

export const isWanted = (memory: SharedArrayBuffer, port: number): boolean =>
  Atomics.load(new Uint8Array(memory), port) === 1

/** The pod's own addresses in one spelling, for comparison with what a process binds to. */
export const normalAddresses = (addresses: readonly string[]): ReadonlySet<string> =>
  new Set(addresses.map(address => normalAddress(address)))

export const familyOf = (address: string): number => (address.includes(':') ? AF_INET6 : AF_INET)
