// Tells whether a mesh sidecar stands before the program in a network namespace.

/** A listening port and the names of a process that holds it; no names when none that we may look into does. */
export type PortHolder = { port: number; names: readonly string[] }

const meshes = [
  { mesh: 'istio', ports: [15006, 15001], programs: ['envoy', 'pilot-agent'] },
  { mesh: 'linkerd', ports: [4143, 4140], programs: ['linkerd2-proxy', 'linkerd-proxy'] },
] as const

/**
 * A mesh is there when one of its ports is held by its program. When the holder can't be seen (it lives in another container's
 * process namespace), both ports together are taken as proof: capturing only loopback wrongly loses traffic, so one is not enough.
 */
export function decideSidecar(holders: readonly PortHolder[]): 'istio' | 'linkerd' | undefined {
  return meshes.find(({ ports, programs }) => {
    const own = holders.filter(({ port }) => (ports as readonly number[]).includes(port))
    if (own.some(({ names }) => names.some(name => (programs as readonly string[]).includes(name))))
      return true
    return own.length === ports.length && own.every(({ names }) => names.length === 0)
  })?.mesh
}

export const sidecarPorts: readonly number[] = meshes.flatMap(({ ports }) => [...ports])
