// Where the bundled programs lie, so that one program of standin can start another.
import { join, resolve } from 'node:path'

export type ProgramName =
  | 'standin'
  | 'server'
  | 'agent'
  | 'agent-capture'
  | 'agent-bootstrap'
  | 'hook'
  | 'hook-spawner'
  | 'hook-answerer'
  | 'guard'
  | 'relay'

/** The path of a bundled program: beside the running bundle, or in the checkout's dist/ when the source itself runs (unit tests). */
export function programPath(name: ProgramName): string {
  // tsx gives sources these names too, so only the extension of a bundle tells.
  const bundled = typeof __filename === 'string' && __filename.endsWith('.cjs')
  const folder = bundled ? __dirname : resolve('dist')
  return join(folder, `${name}.cjs`)
}
