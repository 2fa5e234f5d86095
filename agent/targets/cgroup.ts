// Tells from /proc/PID/cgroup (cgroups(7)) which container a process belongs to, whoever runs it.
//
//   12:memory:/docker/<64 hex>                                              docker, cgroupfs
//   0::/system.slice/docker-<64 hex>.scope                                  docker, systemd
//   0::/machine.slice/libpod-<64 hex>.scope/container                       podman, systemd; its conmon is in libpod-conmon-<id>.scope
//   1:cpu:/libpod_parent/libpod-<64 hex>                                    podman, cgroupfs
//   0::/kubepods.slice/.../cri-containerd-<64 hex>.scope, crio-<id>.scope   Kubernetes, systemd
//   4:memory:/kubepods/burstable/pod<uid>/<64 hex>, /k8s.io/<64 hex>        Kubernetes, cgroupfs
//   0::/../../kubepods-pod1.slice/cri-containerd-<64 hex>.scope             the same, seen from another cgroup namespace
//   0::/user.slice/.../nerdctl-<64 hex>.scope, /default/<64 hex>            nerdctl

export type ContainerMark = { id: string; runtime?: string }

const mark = /\/(?:(docker|libpod|cri-containerd|crio|nerdctl)-)?([0-9a-f]{64})(?:\.scope)?(?=\/|$)/g

const runtimeOfPrefix: Readonly<Record<string, string>> = {
  docker: 'docker',
  libpod: 'podman',
  'cri-containerd': 'containerd',
  nerdctl: 'nerdctl',
  crio: 'cri-o',
}

const runtimeOfFolder: readonly (readonly [RegExp, string])[] = [
  [/\/docker\/$/, 'docker'],
  [/\/(kubepods|k8s\.io|default)\//, 'containerd'],
]

/** The innermost container, for a container may run in another one's cgroup. */
export function containerOf(cgroups: string): ContainerMark | undefined {
  let found: (ContainerMark & { depth: number }) | undefined
  for (const path of paths(cgroups)) {
    for (const match of path.matchAll(mark)) {
      const [, prefix, id = ''] = match
      if (found !== undefined && match.index <= found.depth) continue
      const runtime =
        prefix === undefined
          ? runtimeOfFolder.find(([folder]) => folder.test(path.slice(0, match.index + 1)))?.[1]
          : runtimeOfPrefix[prefix]
      found = { id, depth: match.index, ...(runtime === undefined ? {} : { runtime }) }
    }
  }
  return found === undefined
    ? undefined
    : { id: found.id, ...(found.runtime ? { runtime: found.runtime } : {}) }
}

/** Whether a process with these cgroups is in that container, or in one that runs inside it. */
export function isOfContainer(cgroups: string, id: string): boolean {
  return paths(cgroups).some(path => [...path.matchAll(mark)].some(([, , found]) => found === id))
}

/** Whether a process with these cgroups is in that pod; systemd's driver writes the uid with "_" for "-". */
export function isOfPod(cgroups: string, uid: string): boolean {
  const marks = [`pod${uid}`, `pod${uid.replaceAll('-', '_')}`]
  return paths(cgroups).some(path =>
    path.split('/').some(part => marks.some(end => part.replace(/\.slice$/, '').endsWith(end))),
  )
}

/** The path that ends with the container's id or name, by which its processes can be told from others; see `isInside`. */
export function containerPath(cgroups: string, id: string): string | undefined {
  for (const path of paths(cgroups)) {
    const segments = path.split('/')
    const at = segments.findLastIndex(
      segment => segment === id || segment.replace(/\.scope$/, '').endsWith(`-${id}`),
    )
    if (at >= 0) return segments.slice(0, at + 1).join('/')
  }
  return undefined
}

/** Whether a process with these cgroups is in the cgroup `path` or below it. */
export function isInside(cgroups: string, path: string): boolean {
  return paths(cgroups).some(own => own === path || own.startsWith(`${path}/`))
}

function paths(cgroups: string): string[] {
  return cgroups
    .split('\n')
    .filter(line => line !== '')
    .map(line => line.split(':').slice(2).join(':'))
}
