// Finds koffi's build for each platform of an agent: in node_modules for the processor of this machine, else in the package that npm packs.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Platform } from '../protocol/agent/delivery.ts'

const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'standin', 'koffi')
const packTimeoutMs = 30_000
/** Packages that could not be had; each is tried once. */
const missing = new Map<string, string>()

type Package = { name: string; version: string; integrity: string }

/** Undefined, with a warning, when it can't be had: nodes of that platform are then told so. */
export async function koffiFor(platform: Platform): Promise<Buffer | undefined> {
  const [, processor = '', libc] = platform.split('-')
  const file = join(`${libc === 'musl' ? 'musl' : 'linux'}_${processor}`, 'koffi.node')
  const name = `@koromix/koffi-linux-${processor}`
  const installed = join('node_modules', name, file)
  if (existsSync(installed)) return readFileSync(installed)
  try {
    if (!missing.has(name)) return readFileSync(join(unpacked(lockedPackage(name)), file))
  } catch (error) {
    missing.set(name, reasonOf(error))
  }
  process.stderr.write(`warning: no agent for ${platform}: ${missing.get(name)}\n`)
  return undefined
}

/** npm says much on standard error; the code tells the cause. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  const [first = ''] = message.split('\n')
  const code = /^npm error code (\S+)$/m.exec(message)?.[1]
  return code === undefined ? first : `${first} (${code})`
}

/** What `compress` makes of these bytes, kept beside the packages since it takes seconds. */
export async function cachedCompression(
  bytes: Buffer,
  compress: (bytes: Buffer) => Promise<Buffer>,
): Promise<Buffer> {
  const hash = createHash('sha256').update(bytes).digest('hex')
  const path = join(cache, `${hash}-node${process.versions.brotli}.br`)
  if (existsSync(path)) return readFileSync(path)
  const packed = await compress(bytes)
  store(path, packed)
  return packed
}

function lockedPackage(name: string): Package {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'))
  const { version, integrity } = lock.packages[`node_modules/${name}`]
  return { name, version, integrity }
}

/** The folder of a package that package-lock.json names and npm did not install; fetched once, and checked by its integrity. */
function unpacked({ name, version, integrity }: Package): string {
  const folder = join(cache, `${name.replace('/', '-')}-${version}`)
  if (existsSync(folder)) return folder
  mkdirSync(cache, { recursive: true })
  const work = mkdtempSync(join(cache, 'fetch-'))
  try {
    const options = {
      cwd: work,
      timeout: packTimeoutMs,
      stdio: ['ignore', 'ignore', 'pipe'] as ['ignore', 'ignore', 'pipe'],
    }
    execFileSync('npm', ['pack', '--fetch-retries=0', `${name}@${version}`], options)
    const archive = readdirSync(work).find(file => file.endsWith('.tgz'))
    if (archive === undefined) throw new Error(`npm packed no ${name}@${version}`)
    const [algorithm = '', digest] = integrity.split(/-(.*)/)
    if (
      createHash(algorithm)
        .update(readFileSync(join(work, archive)))
        .digest('base64') !== digest
    )
      throw new Error(`${name}@${version} is not what package-lock.json says`)
    execFileSync('tar', ['-xzf', archive], options)
    moveInto(join(work, 'package'), folder)
    return folder
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function store(path: string, bytes: Buffer): void {
  mkdirSync(cache, { recursive: true })
  const unfinished = `${path}.${process.pid}`
  writeFileSync(unfinished, bytes)
  moveInto(unfinished, path)
}

/** At once, so that another build never sees half of it; whoever comes second finds the same there. */
function moveInto(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if (!existsSync(to)) throw error
    rmSync(from, { recursive: true, force: true })
  }
}
