// Builds what an agent in a pod is made of: the bootstrap in its container's arguments, and a bundle for each platform.
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants } from 'node:zlib'
import { type BuildOptions, build } from 'esbuild'
import { joinBundle } from '../protocol/agent/bundle.ts'
import { platforms } from '../protocol/agent/delivery.ts'
import { deliveryBounds } from '../protocol/agent/delivery-text.ts'
import { packedKoffi, packedKoffiAtHand } from './koffi-builds.ts'

const compressed = promisify(brotliCompress)

/** Minified, since it is part of the container's arguments. */
export async function buildBootstrap(path: string): Promise<void> {
  const text = await bundled('agent/bootstrap.ts', { minify: true, target: 'node12' })
  // Kubernetes reads "$(" and "$$" of arguments as its own; source: API reference, Container.args.
  if (/\$[$(]/.test(text))
    throw new Error(`Cannot write ${path}: Kubernetes would replace part of it, rename a variable`)
  writeFileSync(path, text.trimEnd())
}

/**
 * Writes `manifest` and `PLATFORM`, the same bytes for the same source: the manifest's hash is what a bootstrap trusts. With `atHand` only the
 * platforms whose koffi an earlier build left packed: nothing is fetched or packed, which takes up to a minute; and nothing is written for none.
 */
export async function buildAgentBundles(folder: string, { atHand = false } = {}): Promise<void> {
  const [agent, capture] = await Promise.all(
    ['agent/pod.ts', 'agent/incoming/capture-thread.ts'].map(packedCode),
  )
  const lines: string[] = []
  for (const platform of platforms) {
    const koffi = atHand ? packedKoffiAtHand(platform) : await packedKoffi(platform, compressKoffi)
    if (koffi === undefined) continue
    mkdirSync(folder, { recursive: true })
    const bundle = joinBundle({
      'agent.cjs': agent!,
      'agent-capture.cjs': capture!,
      'koffi.node': koffi,
    })
    if (bundle.length > deliveryBounds.bodyBytes / 2)
      throw new Error(`Cannot bundle the agent for ${platform}: ${bundle.length} bytes are too many`)
    writeFileSync(join(folder, platform), bundle)
    lines.push(`${platform} ${createHash('sha256').update(bundle).digest('hex')}\n`)
  }
  if (lines.length > 0 || !atHand) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'manifest'), lines.join(''))
  }
}

/** As small as it gets: it takes seconds, but once a version of koffi. */
const compressKoffi = (bytes: Buffer) => compress(bytes, 11)

/** One program of the agent as one file, compressed. */
export async function packedCode(entry: string): Promise<Buffer> {
  const text = await bundled(entry, {
    // Names stay, for the stack traces in a container's log.
    minifyWhitespace: true,
    minifySyntax: true,
    target: 'node20',
    alias: { koffi: './agent/linux/delivered-koffi.ts' },
  })
  return compress(Buffer.from(text), 9)
}

async function bundled(entry: string, options: BuildOptions): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    write: false,
    charset: 'utf8',
    legalComments: 'none',
    logLevel: 'warning',
    ...options,
  })
  return outputFiles![0]!.text
}

function compress(bytes: Buffer, quality: number): Promise<Buffer> {
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_LGWIN, BROTLI_PARAM_SIZE_HINT } = constants
  const params = {
    [BROTLI_PARAM_QUALITY]: quality,
    [BROTLI_PARAM_LGWIN]: 22,
    [BROTLI_PARAM_SIZE_HINT]: bytes.length,
  }
  return compressed(bytes, { params })
}
