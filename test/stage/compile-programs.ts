// Compiles the programs of test/programs once a content into a folder of the temporary folder that every user can read.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

export const programs = resolve('test/programs')
const folder = join(tmpdir(), `standin-programs-${process.getuid?.()}`)
const cargo = existsSync(join(homedir(), '.cargo/bin/cargo')) ? join(homedir(), '.cargo/bin/cargo') : 'cargo'
const go = existsSync('/usr/local/go/bin/go') ? '/usr/local/go/bin/go' : 'go'
/** How a program is made: source file in, file or folder out. */
const recipes = {
  c: (source: string, out: string) => run('gcc', ['-g', '-pthread', '-w', source, '-o', out]),
  'c-static': (source: string, out: string) =>
    run('gcc', ['-O1', '-static', '-pthread', '-w', source, '-o', out]),
  'c-musl': (source: string, out: string) =>
    run('musl-gcc', ['-O1', '-static', '-pthread', '-w', source, '-o', out]),
  go: (source: string, out: string) => run(go, ['build', '-o', out, source]),
  'go-static': (source: string, out: string) =>
    run(go, ['build', '-ldflags', '-s -w', '-o', out, source], { CGO_ENABLED: '0' }),
  java: (source: string, out: string) => run('javac', ['-d', out, source]),
  i386: (source: string, out: string) => {
    run('as', ['--32', source, '-o', `${out}.o`])
    run('ld', ['-m', 'elf_i386', `${out}.o`, '-o', out])
    rmSync(`${out}.o`)
  },
}

function makeFolder(): void {
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  chmodSync(folder, 0o755)
}

function run(command: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): void {
  const cache = join(folder, 'go-build')
  execFileSync(command, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, GOCACHE: cache, GOFLAGS: '-mod=mod', GO111MODULE: 'off', ...more },
  })
}

/** The path of the program of a folder of Rust, whose packages come from where cargo is set to take them. */
export function compileCrate(name: string): string {
  const source = join(programs, name)
  const hash = createHash('sha256')
  for (const file of ['Cargo.toml', 'Cargo.lock', 'src/main.rs'])
    hash.update(readFileSync(join(source, file)))
  const out = join(folder, `${name}-rust-${hash.digest('hex').slice(0, 12)}`)
  if (existsSync(out)) return out
  makeFolder()
  // Beside the others, since what it builds on the way is of use again.
  const built = join(folder, 'cargo')
  const manifest = join(source, 'Cargo.toml')
  run(cargo, ['build', '--release', '--locked', '--manifest-path', manifest, '--target-dir', built])
  const part = `${out}.${process.pid}`
  copyFileSync(join(built, 'release', `${name}-client`), part)
  renameSync(part, out)
  return out
}

/** The path of the compiled program (a folder of classes for Java). */
export function compile(source: string, recipe: keyof typeof recipes): string {
  const hash = createHash('sha256').update(`${recipe} ${recipes[recipe]}`)
  for (const file of [source, ...(source.endsWith('.c') ? ['serve.h'] : [])])
    hash.update(readFileSync(join(programs, file)))
  const out = join(folder, `${source.replace(/\.\w+$/, '')}-${recipe}-${hash.digest('hex').slice(0, 12)}`)
  if (existsSync(out)) return out
  makeFolder()
  const part = `${out}.${process.pid}`
  if (recipe === 'java') mkdirSync(part)
  recipes[recipe](join(programs, source), part)
  renameSync(part, out)
  return out
}
