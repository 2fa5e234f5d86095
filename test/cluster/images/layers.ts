// What image layers are made of: this machine's files, Debian packages, files of this folder. Each is a tar in the cache, named by the stamp of what went in.
import { createHash } from 'node:crypto'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { cacheRoot } from '../layout.ts'
import { run, say } from '../run.ts'

export interface Layer {
  name: string
  /** Everything that decides the content: another stamp is another layer. */
  stamp: readonly string[]
  /** Puts the layer's files under `root`. */
  fill(root: string): Promise<void>
}

const making = new Map<Layer, Promise<string>>()

/** The layer's tar, made when the cache has none of its stamp. */
export function layerTar(layer: Layer): Promise<string> {
  const tar = making.get(layer) ?? makeTar(layer)
  making.set(layer, tar)
  return tar
}

async function makeTar(layer: Layer): Promise<string> {
  const stamp = createHash('sha256').update(JSON.stringify(layer.stamp)).digest('hex').slice(0, 12)
  const tar = join(cacheRoot, 'layers', `${layer.name}-${stamp}.tar`)
  if (existsSync(tar)) return tar
  mkdirSync(dirname(tar), { recursive: true })
  const root = mkdtempSync(join(tmpdir(), 'standin-layer-'))
  try {
    chmodSync(root, 0o755)
    await layer.fill(root)
    const same = ['--sort=name', '--mtime=@0', '--numeric-owner', '--owner=0', '--group=0']
    await run('tar', [...same, '-C', root, '-cf', `${tar}.partial-${process.pid}`, '.'], {
      timeoutMs: 120_000,
    })
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
  // Whole or not at all: two commands at once may make the same layer.
  renameSync(`${tar}.partial-${process.pid}`, tar)
  say(`layer ${layer.name} made`)
  return tar
}

/** Copies a file of this machine to the same place under `root`, through links. */
export function copyOwn(root: string, file: string, to = file): void {
  mkdirSync(dirname(join(root, to)), { recursive: true })
  cpSync(file, join(root, to), { dereference: true })
}

/** The libraries that a program of this machine loads. */
export async function librariesOf(program: string): Promise<string[]> {
  const listed = await run('ldd', [program])
  return [...listed.matchAll(/(\/\S+) \(0x/g)].map(match => match[1]!)
}
