// Answers open: the few files that names need are given as the pod has them, every other path is the kernel's.
import { constants } from 'node:fs'
import { closeGiven } from '../linux/given-file.ts'
import { readMemory } from '../linux/memory.ts'
import { type Call, intArgument, sendDescriptor } from '../linux/notification.ts'
import { givenFileAt } from './given-path.ts'
import { done, give, leaveAlone, type Outcome, type World } from './world.ts'

const ENOENT = 2
const EBADF = 9
const EEXIST = 17
const ENOTDIR = 20
const EMFILE = 24
const EROFS = 30
const O_CLOEXEC = 0o2000000
const O_PATH = 0o10000000
const RESOLVE_BENEATH = 8
const RESOLVE_IN_ROOT = 16

export type OpenName = 'open' | 'creat' | 'openat' | 'openat2'

export function answerOpen(call: Call, name: OpenName, world: World): Outcome {
  const isAt = name === 'openat' || name === 'openat2'
  const file = givenFileAt(call, isAt ? { folder: 0, path: 1 } : { path: 0 }, world)
  if (file === undefined) return leaveAlone('not a file of names')
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
