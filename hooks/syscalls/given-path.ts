// Which of the files that names need a call's path means, if any: by the path itself, from the process's folder, or from one that it has open.
import { readlinkSync } from 'node:fs'
import { posix } from 'node:path'
import type { GivenFile } from '../linux/given-file.ts'
import { peekString } from '../linux/memory.ts'
import { type Call, intArgument, threadOf } from '../linux/notification.ts'
import type { World } from './world.ts'

const AT_FDCWD = -100
/** Longer ones are not looked at. */
const pathBytes = 64

/** `path` and `folder` are places among the call's arguments; without a folder the path is from the process's own. */
export function givenFileAt(
  call: Call,
  at: { path: number; folder?: number },
  world: World,
): GivenFile | undefined {
  const text = pathOf(call, at.path, world)
  if (text === undefined) return undefined
  const path = text.startsWith('/') ? posix.normalize(text) : inFolder(call, at.folder, text)
  const file = path === undefined ? undefined : world.names.file(path)
  return file !== undefined && sharesRoot(call) ? file : undefined
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

function inFolder(call: Call, argument: number | undefined, text: string): string | undefined {
  const folder = argument === undefined ? AT_FDCWD : intArgument(call, argument)
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
