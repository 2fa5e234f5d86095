// The pod's names as one supervisor gives them to its processes: a few files, the nameservers, and the host name.
import { basename } from 'node:path'
import { normalAddress } from '../protocol/address.ts'
import type { PodNames } from '../protocol/hook/messages.ts'
import { type GivenFile, makeGivenFile } from './linux/given-file.ts'

const dnsPort = 53

export type Names = {
  /** Undefined when this machine's own names are used. */
  readonly hostname: string | undefined
  /** Whether there are files at all. */
  readonly gives: boolean
  /** Whether a path with that last part may be one of them. */
  mayGive(lastPart: string): boolean
  file(path: string): GivenFile | undefined
  isNameserver(to: { address: string; port: number }): boolean
  /** Whether a Unix socket's daemon would answer in the pod's place. */
  refuses(path: string): boolean
  set(names: PodNames): void
}

export function makeNames(): Names {
  let files = new Map<string, GivenFile>()
  let lastParts = new Set<string>()
  let nameservers = new Set<string>()
  let refused = new Set<string>()
  let hostname: string | undefined
  return {
    get hostname() {
      return hostname
    },
    get gives() {
      return files.size > 0
    },
    mayGive: lastPart => lastParts.has(lastPart),
    file: path => files.get(path),
    isNameserver: ({ address, port }) => port === dnsPort && nameservers.has(address),
    refuses: path => refused.has(path),
    set(names) {
      const before = files
      files = makeFiles(names.files)
      for (const file of before.values()) file.close()
      lastParts = new Set([...files.keys()].map(path => basename(path)))
      nameservers = new Set(names.nameservers.map(normalAddress))
      refused = new Set(names.refusedSockets)
      hostname = names.hostname
    },
  }
}

/** All of them or none. */
function makeFiles(texts: PodNames['files']): Map<string, GivenFile> {
  const made = new Map<string, GivenFile>()
  try {
    for (const [path, text] of Object.entries(texts)) made.set(path, makeGivenFile(basename(path), text))
    return made
  } catch (error) {
    for (const file of made.values()) file.close()
    throw error
  }
}
