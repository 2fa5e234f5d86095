// Builds the benchmarks' programs in C and Go into a folder that ends with the run.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

export type Programs = {
  calls: string
  answered: string
  supervisor: string
  load: string
  traffic: string
  remove(): void
}

export function compilePrograms(): Programs {
  const folder = mkdtempSync(join(tmpdir(), 'standin-bench-'))
  const go = existsSync('/usr/local/go/bin/go') ? '/usr/local/go/bin/go' : 'go'
  const source = (name: string) => resolve('test/bench/programs', name)
  const c = (name: string) =>
    execFileSync('cc', ['-O2', '-pthread', '-o', join(folder, name), source(`${name}.c`)], {
      stdio: 'inherit',
    })
  c('calls')
  c('answered')
  c('supervisor')
  const goes = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=mod' }
  for (const name of ['load', 'traffic'])
    execFileSync(go, ['build', '-o', join(folder, name), source(`${name}.go`)], {
      stdio: 'inherit',
      env: goes,
    })
  return {
    calls: join(folder, 'calls'),
    answered: join(folder, 'answered'),
    supervisor: join(folder, 'supervisor'),
    load: join(folder, 'load'),
    traffic: join(folder, 'traffic'),
    remove: () => rmSync(folder, { recursive: true }),
  }
}
