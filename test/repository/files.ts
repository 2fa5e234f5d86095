// The files of the checkout that its rules speak of, read once for all repository tests.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const rooms = ['server', 'protocol', 'agent', 'hooks', 'clients', 'test', 'schemas'] as const

/** Paths of all files under a folder of the checkout, relative to it, build output and packages left out. */
export function filesUnder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter(entry => entry.isFile() && !/(^|\/)(node_modules|dist)(\/|$)/.test(entry.parentPath))
    .map(entry => join(entry.parentPath, entry.name))
    .sort()
}

export function textOf(path: string): string {
  return readFileSync(path, 'utf8')
}

/** The modules that a TypeScript file imports, types included, as they are written. */
export function importsOf(path: string): string[] {
  const text = textOf(path)
  const statements = /^(?:import|export)\b[^'"=()]*? from '([^']+)'/gm
  const calls = /^import '([^']+)'|\bimport\('([^']+)'\)/gm
  return [...text.matchAll(statements), ...text.matchAll(calls)].map(match => (match[1] ?? match[2])!)
}
