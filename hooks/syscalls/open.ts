// Answers open: the few files that names need are given as the pod has them, every other path is the kernel's.
import { constants, readlinkSync } from 'node:fs'
import { posix } from 'node:path'
import { closeGiven } from '../linux/given-file.ts'
import { peekString, readMemory } from '../linux/memory.ts'
import { type Call, intArgument, sendDescriptor, threadOf } from '../linux/notification.ts'
import { done, give, leaveAlone, type Outcome, type World } from './world.ts'

const ENOENT = 2
const EBADF = 9
const EEXIST = 17
const ENOTDIR = 20
const EMFILE = 24
const EROFS = 30
const AT_FDCWD = -100
const O_CLOEXEC = 0o2000000
const O_PATH = 0o10000000
const RESOLVE_BENEATH = 8
const RESOLVE_IN_ROOT = 16
/** Longer ones are not looked at. */
const pathBytes = 64

export type OpenName = 'open' | 'creat' | 'openat' | 'openat2'

export function answerOpen(call: Call, name: OpenName, world: World): Outcome {
  const isAt = name === 'openat' || name === 'openat2'
  const text = pathOf(call, isAt ? 1 : 0, world)
  if (text === undefined) return leaveAlone('not a file of names')
  const path = text.startsWith('/') ? posix.normalize(text) : inFolder(call, isAt, text)
  const file = path === undefined ? undefined : world.names.file(path)
  if (file === undefined || !sharesRoot(call)) return leaveAlone('not a file of names')
  const flags = flagsOf(call, name)
  if (flags === undefined || (flags & O_PATH) !== 0) return leaveAlone('not opened to be read')
  const errno = refusalOf(flags)
  if (errno !== undefined) return give(-errno)
  const opened = file.open()
  if (opened < 0) return give(opened)
  try {
    const sent = sendDescriptor(world.listener, call, opened, flags & O_CLOEXEC)
    if (sent >= 0 || sent === -ENOENT) return done
    // The number would be past the process's limit.
    return give(sent === -EBADF ? -EMFILE : sent)
  } finally {
    closeGiven(opened)
  }
}

/** Undefined for whatever cannot be one of the files: this is asked for every file that a program opens. */
function pathOf(call: Call, argument: number, { names }: World): string | undefined {
  if (!names.gives) return undefined
  const bytes = peekString(call, argument, pathBytes)
  if (typeof bytes === 'number') return undefined
  const end = bytes.indexOf(0)
  if (end < 0) return undefined
  const text = bytes.toString('latin1', 0, end)
  return names.mayGive(text.slice(text.lastIndexOf('/') + 1)) ? text : undefined
}

function inFolder(call: Call, isAt: boolean, text: string): string | undefined {
  const folder = isAt ? intArgument(call, 0) : AT_FDCWD
  const link = folder === AT_FDCWD ? 'cwd' : `fd/${folder}`
  const start = linkOf(call, link)
  return start === undefined ? undefined : posix.join(start, text)
}

/** A process that has changed its root, or its mounts, reads the files that are there. */
function sharesRoot(call: Call): boolean {
  return linkOf(call, 'root') === '/' && linkOf(call, 'ns/mnt') === readlinkSync('/proc/self/ns/mnt')
}

function linkOf(call: Call, name: string): string | undefined {
  try {
    return readlinkSync(`/proc/${threadOf(call)}/${name}`)
  } catch {
    return undefined // the process is gone, or forbids to be looked into
  }
}

// struct open_how, 24 bytes: u64 flags, u64 mode, u64 resolve
function flagsOf(call: Call, name: OpenName): number | undefined {
  if (name === 'creat') return constants.O_WRONLY | constants.O_TRUNC
  if (name === 'open') return intArgument(call, 1)
  if (name === 'openat') return intArgument(call, 2)
  const how = readMemory(call, 2, 24)
  if (typeof how === 'number') return undefined
  return (how.readUInt32LE(16) & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) !== 0 ? undefined : how.readInt32LE(0)
}

function refusalOf(flags: number): number | undefined {
  const exclusive = constants.O_CREAT | constants.O_EXCL
  if ((flags & exclusive) === exclusive) return EEXIST
  if ((flags & (constants.O_WRONLY | constants.O_RDWR | constants.O_TRUNC)) !== 0) return EROFS
  return (flags & constants.O_DIRECTORY) === 0 ? undefined : ENOTDIR
}
