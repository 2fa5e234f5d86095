// Hands images to a node's containerd: a docker archive is put together from cached layers and streamed in.
import { createHash } from 'node:crypto'
import {
  createReadStream,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { execa } from 'execa'
import type { NodePlace } from '../layout.ts'
import { ctr } from '../node.ts'
import { say } from '../run.ts'
import { layerTar } from './layers.ts'
import type { Image } from './list.ts'

/** Imports the images that the node has not, or has with other content. */
export async function loadImages(node: NodePlace, images: readonly Image[]): Promise<void> {
  for (const image of images) await loadImage(node, image)
}

async function loadImage(node: NodePlace, image: Image): Promise<void> {
  const tars: string[] = []
  for (const layer of image.layers) tars.push(await layerTar(layer))
  const content = JSON.stringify([tars.map(tar => basename(tar)), image.config])
  // Beside containerd's own content, so that both go together.
  const list = join(node.folder, 'containerd', 'images.json')
  const have: Record<string, string> = existsSync(list) ? JSON.parse(readFileSync(list, 'utf8')) : {}
  if (have[image.name] === content) return
  await importArchive(node, image, tars)
  writeFileSync(list, JSON.stringify({ ...have, [image.name]: content }))
  say(`${node.name} has ${image.name}`)
}

async function importArchive(node: NodePlace, image: Image, tars: readonly string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'standin-image-'))
  try {
    const layers = await Promise.all(tars.map(async tar => ({ tar, digest: await digestOf(tar) })))
    const architecture = { x64: 'amd64', arm64: 'arm64' }[process.arch as string] ?? process.arch
    const created = '1970-01-01T00:00:00Z'
    const rootfs = { type: 'layers', diff_ids: layers.map(layer => `sha256:${layer.digest}`) }
    const history = layers.map(() => ({ created, created_by: 'standin test cluster' }))
    writeFileSync(
      join(folder, 'config.json'),
      JSON.stringify({ architecture, os: 'linux', created, config: image.config, rootfs, history }),
    )
    for (const layer of layers) symlinkSync(layer.tar, join(folder, `${layer.digest}.tar`))
    const manifest = {
      Config: 'config.json',
      RepoTags: [image.name],
      Layers: layers.map(layer => `${layer.digest}.tar`),
    }
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify([manifest]))
    const files = ['manifest.json', 'config.json', ...layers.map(layer => `${layer.digest}.tar`)]
    // `-h` puts the layers themselves where the folder has links to the cache.
    const archive = execa('tar', ['-C', folder, '-chf', '-', ...files], { buffer: false, stdin: 'ignore' })
    const load = execa('ctr', [...ctr(node), 'images', 'import', '-'], { stdin: 'pipe', timeout: 120_000 })
    await Promise.all([pipeline(archive.stdout, load.stdin), archive, load])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

// Reading 120 MB takes half a second, so what was read is written beside the tar.
async function digestOf(tar: string): Promise<string> {
  const kept = `${tar}.sha256`
  if (existsSync(kept)) return readFileSync(kept, 'utf8')
  const hash = createHash('sha256')
  await pipeline(createReadStream(tar), hash)
  const digest = hash.digest('hex')
  // Two nodes may load the same layer at once; both write the same.
  writeFileSync(kept, digest)
  return digest
}
