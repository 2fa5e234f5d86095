// The environment that a container was made with, from the OCI bundle of its runtime. The parent of a container's first process knows where
// that is, so that no path of the node has to be mounted: a shim of containerd or Docker works in the bundle of its first container, with
// those of the pod's others beside it, and Podman's and CRI-O's conmon has it as an argument (-b).
//
// config.json, https://github.com/opencontainers/runtime-spec/blob/v1.2.0/config.md: process.env is a list of NAME=VALUE, linux.cgroupsPath
// ends with the container's id.
import { isRefused, namespaceOf, readProcText, readStat } from '../linux/proc.ts'
import { containerOf } from './cgroup.ts'
import { parseEnvironment } from './environment.ts'

type Spec = { process?: { env?: unknown }; linux?: { cgroupsPath?: unknown } }

/** Processes of one container are not nested deeper. */
const maxParents = 64

/** `undefined` when the bundle of the process's container is not found; `name` may tell which that is where its cgroup does not. */
export function bundleEnvironment(pid: number, name: string | undefined): Record<string, string> | undefined {
  const id = containerOf(readProcText(pid, 'cgroup') ?? '')?.id ?? name
  if (id === undefined) return undefined
  try {
    const runtime = runtimeOf(pid)
    if (runtime === undefined) return undefined
    for (const file of specFiles(runtime, id)) {
      const found = specEnvironment(readProcText(runtime, file), id)
      if (found !== undefined) return found
    }
  } catch (error) {
    // The runtime is another user's.
    if (!isRefused(error)) throw error
  }
  return undefined
}

/** The first parent that sees other files: what runs inside of the container is not asked, for there anything may stand in a file. */
function runtimeOf(pid: number): number | undefined {
  const inside = namespaceOf(pid, 'mnt')
  let parent = readStat(pid)?.parent ?? 0
  for (let count = 0; parent > 0 && count < maxParents; count++) {
    if (namespaceOf(parent, 'mnt') !== inside) return parent
    parent = readStat(parent)?.parent ?? 0
  }
  return undefined
}

function specFiles(pid: number, id: string): string[] {
  const words = (readProcText(pid, 'cmdline') ?? '').split('\0')
  const bundle = words[words.indexOf('-b') + 1]
  const told = words.includes('-b') && bundle?.startsWith('/') ? [`root${bundle}/config.json`] : []
  return ['cwd/config.json', `cwd/../${id}/config.json`, ...told]
}

/** A folder may have a config.json of another kind, or of another container: only the one that names this container counts. */
export function specEnvironment(text: string | undefined, id: string): Record<string, string> | undefined {
  if (text === undefined) return undefined
  let spec: Spec | null
  try {
    spec = JSON.parse(text)
  } catch {
    return undefined
  }
  const variables = spec?.process?.env
  if (!Array.isArray(variables) || !endsWithId(spec?.linux?.cgroupsPath, id)) return undefined
  return parseEnvironment(Buffer.from(variables.join('\0')))
}

const endsWithId = (path: unknown, id: string): boolean =>
  typeof path === 'string' &&
  path
    .split(/[:/-]/)
    .at(-1)
    ?.replace(/\.scope$/, '') === id
