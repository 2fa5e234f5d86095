// A folder of small scripts that run the real programs under the hooks, for debug adapters that start "node" or "python3" themselves.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { access, constants, lstat, mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Failure } from '../../protocol/errors.ts'
import { awaitEnd, childGone } from '../children.ts'

export const defaultShims = ['node', 'python3', 'python', 'java', 'dlv'] as const

export type ShimFolder = { readonly path: string; remove(): Promise<void> }

/**
 * The script of one shim. It takes its folder out of PATH, so that the hooked program and its children find the real ones, and brings
 * its own token, since one shim may be run many times.
 */
export function shimScript(options: {
  program: string
  folder: string
  prefix: readonly string[]
  environment: Readonly<Record<string, string>>
}): string {
  const exports = Object.entries(options.environment).map(([name, value]) => `export ${name}=${quote(value)}`)
  return [
    '#!/bin/sh',
    `# Made by standin: runs the real ${options.program} as the pod.`,
    `self=${quote(options.folder)}`,
    'set -f; rest="$PATH:"; path=',
    'while [ -n "$rest" ]; do',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the shell's
    '  one="${rest%%:*}"; rest="${rest#*:}"',
    '  [ "$one" = "$self" ] || path="$path:$one"',
    'done',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the shell's
    'PATH="${path#:}"; export PATH; unset self rest path one; set +f',
    ...exports,
    `exec ${[...options.prefix, options.program].map(quote).join(' ')} "$@"`,
    '',
  ].join('\n')
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

/** Which of the default programs this machine has: a shim for a missing one would make it look present. */
export async function presentPrograms(
  names: readonly string[],
  path = process.env.PATH ?? '',
): Promise<string[]> {
  const isThere = async (name: string) => {
    const tries = path.split(':').map(folder => access(join(folder, name), constants.X_OK))
    return Promise.any(tries).then(
      () => true,
      () => false,
    )
  }
  const there = await Promise.all(names.map(isThere))
  return names.filter((_, index) => there[index])
}

/** Makes the folder, private to this user; `remove` takes it away, and so does a watching shell when the server is killed. */
export async function makeShimFolder(
  scripts: (folder: string) => Record<string, string>,
): Promise<ShimFolder> {
  const parent = join(process.env.XDG_RUNTIME_DIR || tmpdir(), `standin-${process.getuid?.() ?? 0}`)
  await makePrivate(parent)
  const path = join(parent, randomBytes(8).toString('hex'))
  const owner = startOwner(path, parent)
  try {
    await mkdir(path, { mode: 0o700 })
    for (const [name, script] of Object.entries(scripts(path))) {
      await writeFile(join(path, name), script, { mode: 0o700, flag: 'wx' })
    }
  } catch (cause) {
    await owner.end()
    throw new Failure(
      'hook-failed',
      { command: 'shims', reason: `the folder "${path}" could not be made` },
      { cause },
    )
  }
  return { path, remove: () => owner.end() }
}

/** Somebody else's folder or a link of that name in a shared temporary folder is not used. */
async function makePrivate(folder: string): Promise<void> {
  await mkdir(folder, { mode: 0o700 }).catch(cause => {
    if (cause.code !== 'EEXIST') throw cause
  })
  const found = await lstat(folder)
  if (found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o077) === 0) return
  throw new Failure('hook-failed', {
    command: 'shims',
    reason: `"${folder}" is not a private folder of this user`,
  })
}

/** A shell whose input the server holds: when that ends, however the server ended, it removes the folder and, if empty, its parent. */
function startOwner(path: string, parent: string): { end(): Promise<void> } {
  const script = 'read -r _; rm -rf -- "$1"; rmdir -- "$2" 2>/dev/null; exit 0'
  const child: ChildProcess = spawn('/bin/sh', ['-c', script, 'standin-shims', path, parent], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
  })
  const gone = childGone(child)
  child.stdin?.on('error', () => {})
  return {
    async end() {
      child.stdin?.end()
      await awaitEnd(child, gone, 5_000)
    },
  }
}

/** A name that is a path would be written outside of the folder. */
export function checkShimNames(names: readonly string[]): void {
  const wrong = names.find(name => !/^[\w.+-]+$/.test(name) || name === '.' || name === '..')
  if (wrong === undefined) return
  const faults = `shims: "${wrong.slice(0, 80)}" is not the name of a program`
  throw new Failure('params-invalid', { method: 'prepareLaunch', faults })
}
