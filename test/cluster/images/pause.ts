// Compiles the static programs that images hold, once for each content of their source.
import { createHash, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { cacheRoot } from '../layout.ts'
import { run } from '../run.ts'

/** The static program of a C file beside this one. */
export async function staticProgram(source: string): Promise<string> {
  const file = join(import.meta.dirname, source)
  const stamp = createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 12)
  const folder = join(cacheRoot, 'static', stamp)
  const program = join(folder, source.replace(/\.c$/, ''))
  if (existsSync(program)) return program
  mkdirSync(folder, { recursive: true })
  // Whole or not at all, also when two ask at once.
  const partial = `${program}.partial-${randomUUID()}`
  await run('gcc', ['-Os', '-static', '-s', '-Wall', '-o', partial, file])
  renameSync(partial, program)
  return program
}

/** The program that does nothing: sandboxes and nodes have it as their first process. */
export const pauseProgram = (): Promise<string> => staticProgram('pause.c')
