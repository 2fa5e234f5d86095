// Builds Kubernetes' programs, kubectl and CoreDNS from their Go modules into the cache, once for each content of the modules.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { cacheRoot, sourceRoot } from './layout.ts'
import { run, say } from './run.ts'

const modules = ['kubernetes', 'coredns'] as const
// Part of the stamp: programs built in another way are other programs.
const flags = ['-mod=readonly', '-trimpath']

const stamp = (() => {
  const hash = createHash('sha256').update(flags.join(' '))
  for (const name of modules)
    for (const file of ['go.mod', 'go.sum']) hash.update(readFileSync(join(sourceRoot, name, file)))
  return hash.digest('hex').slice(0, 12)
})()

/** Holds kube-apiserver, kube-controller-manager, kube-scheduler, kubelet, kube-proxy, kubectl and coredns once `buildPrograms` is through. */
export const programsFolder = join(cacheRoot, `kube-${stamp}`)

export const programPath = (name: string): string => join(programsFolder, name)

/** Builds what is missing: about 9 minutes and 1.9 GB of memory on two cores the first time, a file look-up after that. Throws when go fails. */
export async function buildPrograms(): Promise<void> {
  if (existsSync(programsFolder)) return
  const partial = `${programsFolder}.partial`
  rmSync(partial, { recursive: true, force: true })
  mkdirSync(partial, { recursive: true })
  const env = { CGO_ENABLED: '0' }
  for (const name of modules) {
    say(`building ${name} (minutes, when Go has not built it before)`)
    const cwd = join(sourceRoot, name)
    await run('go', ['build', ...flags, '-o', `${partial}/`, '-ldflags', await linkerFlags(name), 'tool'], {
      cwd,
      env,
      timeoutMs: 45 * 60_000,
    })
  }
  // The folder appears whole or not at all, so that an interrupted build is never taken for a finished one.
  renameSync(partial, programsFolder)
}

async function linkerFlags(name: (typeof modules)[number]): Promise<string> {
  if (name === 'coredns') return '-s -w'
  const version = await run('go', ['list', '-m', '-f', '{{.Version}}', 'k8s.io/kubernetes'], {
    cwd: join(sourceRoot, name),
    timeoutMs: 10 * 60_000,
  })
  const variables = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].map(
    path => `-X ${path}.gitVersion=${version}`,
  )
  return ['-s -w', ...variables].join(' ')
}
