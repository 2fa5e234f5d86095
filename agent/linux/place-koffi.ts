// Loads the delivered koffi: the dynamic loader takes files only, and none that lies on a mount without exec (dlopen(3), mount(8)).
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import type koffi from 'koffi'
import { Failure } from '../../protocol/errors.ts'

type Koffi = typeof koffi

const key = Symbol.for('standin.koffi')
const known = globalThis as { [key]?: Koffi }

/** The descriptor stays open as long as the process: threads that are made later load the same file by it, when its name is gone. */
export function placeKoffi(bytes: Buffer, folders: readonly string[] = candidates()): void {
  const refusals: string[] = []
  for (const folder of folders) {
    try {
      process.env.STANDIN_KOFFI = placeIn(folder, bytes)
      return
    } catch (error) {
      refusals.push(`${folder}: ${reasonOf(error)}`)
    }
  }
  throw new Failure(
    'agent-undeliverable',
    {
      reason: 'no folder of its container can hold a native library',
      fix: 'Set agent.security_context to {"readOnlyRootFilesystem": false}, or agent.image to an image whose /tmp can be written and executed',
    },
    { detail: refusals.join('; ') },
  )
}

/** What was placed by this thread. */
export function placedKoffi(): Koffi | undefined {
  return known[key]
}

export function loadKoffi(path: string): Koffi {
  const module = { exports: {} }
  process.dlopen(module, path)
  return module.exports as Koffi
}

function candidates(): string[] {
  return [...new Set([tmpdir(), '/tmp', '/dev/shm', '/var/tmp', process.cwd(), homedir()])]
}

/** A private folder, gone when this returns. */
function placeIn(folder: string, bytes: Buffer): string {
  const own = mkdtempSync(join(folder, 'standin-'))
  let fd: number | undefined
  try {
    const file = join(own, 'koffi.node')
    writeFileSync(file, bytes, { mode: 0o600 })
    fd = openSync(file, 'r')
    const path = `/proc/self/fd/${fd}`
    known[key] = loadKoffi(path)
    return path
  } catch (error) {
    if (fd !== undefined) closeSync(fd)
    throw error
  } finally {
    rmSync(own, { recursive: true, force: true })
  }
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return code === undefined || code === 'ERR_DLOPEN_FAILED' ? message : code
}
