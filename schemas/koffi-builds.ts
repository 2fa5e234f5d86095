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

/**
 * koffi for a platform as `compress` makes it, which is kept for the next build. Undefined, with a warning, when koffi can't be had: nodes of
 * that platform are then told so.
 */
export async function packedKoffi(
  platform: Platform,
  compress: (bytes: Buffer) => Promise<Buffer>,
): Promise<Buffer | undefined> {
  const { name } = partOf(platform)
  const atHand = koffiAtHand(platform)
  if (atHand !== undefined) return cachedCompression(atHand, compress)
  try {
    if (!missing.has(name)) {
      fetchPackage(lockedPackage(name))
      return await cachedCompression(readFileSync(partOf(platform).fetched), compress)
    }
  } catch (error) {
    missing.set(name, reasonOf(error))
  }
  process.stderr.write(`warning: no agent for ${platform}: ${missing.get(name)}\n`)
  return undefined
}

/** What `packedKoffi` made in an earlier build, if it did. */
export function packedKoffiAtHand(platform: Platform): Buffer | undefined {
  const koffi = koffiAtHand(platform)
  const packed = koffi === undefined ? undefined : packedPath(koffi)
  return packed !== undefined && existsSync(packed) ? readFileSync(packed) : undefined
}

/** Installed, for the processor of this machine, or fetched by an earlier build. */
function koffiAtHand(platform: Platform): Buffer | undefined {
  const { installed, fetched } = partOf(platform)
  const path = [installed, fetched].find(existsSync)
  return path === undefined ? undefined : readFileSync(path)
}

/** The package that has koffi for a platform, and where its file lies if it is installed, or fetched. */
function partOf(platform: Platform) {
  const [, processor = '', libc] = platform.split('-')
  const file = join(`${libc === 'musl' ? 'musl' : 'linux'}_${processor}`, 'koffi.node')
  const name = `@koromix/koffi-linux-${processor}`
  return {
    name,
    installed: join('node_modules', name, file),
    fetched: join(folderOf(lockedPackage(name)), file),
  }
}

/** npm says much on standard error; the code tells the cause. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  const [first = ''] = message.split('\n')
  const code = /^npm error code (\S+)$/m.exec(message)?.[1]
  return code === undefined ? first : `${first} (${code})`
}

/** Kept beside the packages, since it takes seconds. */
async function cachedCompression(
  bytes: Buffer,
  compress: (bytes: Buffer) => Promise<Buffer>,
): Promise<Buffer> {
  const path = packedPath(bytes)
  if (existsSync(path)) return readFileSync(path)
  const packed = await compress(bytes)
  store(path, packed)
  return packed
}

function packedPath(bytes: Buffer): string {
  const hash = createHash('sha256').update(bytes).digest('hex')
  return join(cache, `${hash}-node${process.versions.brotli}.br`)
}

function lockedPackage(name: string): Package {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'))
  const { version, integrity } = lock.packages[`node_modules/${name}`]
  return { name, version, integrity }
}

function folderOf({ name, version }: Package): string {
  return join(cache, `${name.replace('/', '-')}-${version}`)
}

/** Puts a package that package-lock.json names and npm did not install into its folder; fetched once, and checked by its integrity. */
function fetchPackage({ name, version, integrity }: Package): void {
  const folder = folderOf({ name, version, integrity })
  if (existsSync(folder)) return
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
    if (archive === undefined) throw new Error(`Cannot fetch ${name}@${version}: npm packed none`)
    const [algorithm = '', digest] = integrity.split(/-(.*)/)
    if (
      createHash(algorithm)
        .update(readFileSync(join(work, archive)))
        .digest('base64') !== digest
    )
      throw new Error(`Cannot use ${name}@${version}: it is not what package-lock.json says`)
    execFileSync('tar', ['-xzf', archive], options)
    moveInto(join(work, 'package'), folder)
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
