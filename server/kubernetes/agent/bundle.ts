// The agent's code as the build left it in dist/: the bootstrap for a container's arguments, and what is delivered to it.
import { createHash, type KeyObject } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Platform } from '../../../protocol/agent/delivery.ts'
import { Failure } from '../../../protocol/errors.ts'
import { programPath } from '../../../protocol/programs.ts'

export type AgentBundles = {
  /** SHA-256 of the manifest as hex: what the container's arguments name. */
  readonly hash: string
  readonly manifest: Buffer
  /** Undefined when the build had no koffi for that platform. */
  bundleFor(platform: Platform): Buffer | undefined
}

/** Rejects with `agent-undeliverable` when dist/ holds none. */
export async function agentBundles(): Promise<AgentBundles> {
  const folder = join(dirname(programPath('agent')), 'agent-bundles')
  const manifest = await readBuilt(join(folder, 'manifest'))
  return {
    hash: createHash('sha256').update(manifest).digest('hex'),
    manifest,
    bundleFor(platform) {
      const file = join(folder, platform)
      return existsSync(file) ? readFileSync(file) : undefined
    },
  }
}

export type BootstrapOptions = {
  /** Ed25519, made for this agent alone. */
  publicKey: KeyObject
  /** Of 127.0.0.1 in the container's network namespace. */
  port: number
  waitSeconds: number
}

/** The container's command, 3 KB; nothing in it lets anyone in. Kubernetes finds nothing to replace in it, which the build checks. */
export async function bootstrapCommand({
  publicKey,
  port,
  waitSeconds,
}: BootstrapOptions): Promise<string[]> {
  const [{ hash }, program] = await Promise.all([agentBundles(), readBuilt(programPath('agent-bootstrap'))])
  const key = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  return ['node', '-e', program.toString(), key, hash, String(port), String(waitSeconds)]
}

async function readBuilt(path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (cause) {
    throw new Failure(
      'agent-undeliverable',
      { reason: `"${path}" is missing`, fix: 'Install standin again; in a checkout run "npm run build"' },
      { cause },
    )
  }
}
