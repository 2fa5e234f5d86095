// The files of the checkout that its rules speak of, and what can be read off their text.
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

/** Files of the rooms that JavaScript runs. */
export function scriptFiles(): string[] {
  return rooms.flatMap(filesUnder).filter(path => /\.[mc]?[jt]s$/.test(path))
}

/** The text without comments that are lines or blocks of their own, so that prose is not taken for code. */
export function codeOf(text: string): string {
  return text.replace(/^\s*(\/\/.*|\/\*[\s\S]*?\*\/)[ \t]*$/gm, '')
}

const quoted = /['"`]([^'"`$]+)['"`]/.source
const statements = new RegExp(`^(?:import|export)\\b[^'"\`=()]*?\\bfrom\\s+${quoted}`, 'gm')
const bare = new RegExp(`^import\\s+${quoted}`, 'gm')
/** `import('x')`, `require('x')`, `require.resolve('x')`, `createRequire(here)('x')`. */
const calls = new RegExp(
  `(?:(?<![\\w.])(?:import|require(?:\\.resolve)?)|\\bcreateRequire\\([^)]*\\)(?:\\.resolve)?)\\(\\s*${quoted}\\s*[,)]`,
  'gm',
)

/** The modules that a script imports in whatever way, types included, as they are written. */
export function importsOf(path: string): string[] {
  return importsIn(textOf(path))
}

export function importsIn(text: string): string[] {
  const code = codeOf(text)
  return [statements, bare, calls].flatMap(form => [...code.matchAll(form)].map(match => match[1]!))
}

/** Calls of `import` and `require` whose module is no literal, so that no rule can judge them. */
export function unreadableImportsIn(text: string): string[] {
  return [
    ...codeOf(text).matchAll(
      /(?<![\w.])(?<!async )(?:import|require|createRequire\([^)]*\))\((?!\s*['"`][^$'"`]+['"`])[^)]*\)/g,
    ),
  ]
    .map(([call]) => call)
    .filter(call => !/^(import|require)\(\)/.test(call))
}
