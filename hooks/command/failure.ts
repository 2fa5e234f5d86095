// Why a command could not be started, as the user should read it, and the exit code that a shell gives for it.
import { type Stats, statSync, writeSync } from 'node:fs'
import { resolve } from 'node:path'
import { type ErrorKind, Failure } from '../../protocol/errors.ts'
import type { Command } from '../shared/threads.ts'

/** The failure behind an error of child_process.spawn, which says ENOENT for a missing folder and a missing program alike. */
export function spawnFailure(error: Error, command: Command): Failure {
  const { file, cwd } = command
  const errno = (error as NodeJS.ErrnoException).code ?? 'unknown'
  if (look(cwd)?.isDirectory() !== true)
    return new Failure('folder-not-found', { folder: cwd }, { cause: error })
  if (errno === 'ENOENT' && !isThere(command))
    return new Failure('command-not-found', { command: file }, { cause: error })
  if (['ENOENT', 'EACCES', 'ENOEXEC', 'ENOTDIR', 'EISDIR', 'ELOOP', 'EPERM'].includes(errno))
    return new Failure(
      'command-not-executable',
      { command: file, reason: reasonOf(errno, file, cwd) },
      { cause: error },
    )
  return new Failure('hook-failed', { command: file, reason: errno }, { cause: error })
}

function reasonOf(errno: string, file: string, cwd: string): string {
  if (file.includes('/') && look(resolve(cwd, file))?.isDirectory()) return 'it is a folder'
  if (errno === 'ENOENT') return 'the interpreter that it names is not there'
  return `it is not executable (${errno})`
}

/** A script whose interpreter is missing gives ENOENT although the script itself is there. */
function isThere({ file, cwd, environment }: Command): boolean {
  const folders = file.includes('/') ? [''] : (environment.PATH ?? '').split(':')
  return folders.some(folder => look(resolve(cwd, folder, file))?.isFile() === true)
}

/** What lies at a path; undefined for nothing, and for what may not be looked at. */
function look(path: string): Stats | undefined {
  try {
    return statSync(path)
  } catch {
    return undefined
  }
}

/** 127 and 126 as in a shell, 125 for what is ours. */
export function exitCodeOf(kind: ErrorKind): number {
  if (kind === 'command-not-found') return 127
  return kind === 'command-not-executable' ? 126 : 125
}

/** Nobody has started the supervisor who could say what it is for. */
export function refuseToRunAlone(): void {
  const reason = 'the program "hook" is started by a standin server'
  const { message } = new Failure('usage-wrong', { reason, help: 'standin help exec' })
  writeSync(2, `standin: ${message}\n`)
  process.exitCode = 125
}
