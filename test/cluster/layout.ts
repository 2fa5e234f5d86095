// Where the test cluster keeps its state and its programs, and the names and addresses it uses.
import { createHash } from 'node:crypto'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** Everything a running cluster writes; outside of the checkout, so that every clone meets the same cluster. */
export const stateRoot = process.env.STANDIN_CLUSTER_ROOT || '/var/tmp/standin-cluster'

/** What is expensive to make and the same for every clone: built programs, image layers. */
export const cacheRoot = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'standin')

/** The administrator's kubeconfig of the cluster in `stateRoot`. */
export const adminKubeconfig = join(stateRoot, 'admin.kubeconfig')

/** The folder of this source file's neighbours: manifests, Go modules, image contents. */
export const sourceRoot = import.meta.dirname

export const bridge = 'knode0'
/** The machine's own address on the nodes' bridge: here listens the API server. */
export const controlAddress = '10.89.0.1'
export const nodeNetwork = '10.89.0.0/24'
export const podNetwork = '10.88.0.0/16'
export const serviceNetwork = '10.96.0.0/16'
/** The first address of `serviceNetwork`, which Kubernetes gives to its own service. */
export const apiService = '10.96.0.1'
export const dnsService = '10.96.0.10'
export const apiAddress = `https://${controlAddress}:6443`

/** One worker node: a set of namespaces with a containerd, a kubelet and a kube-proxy. */
export interface NodePlace {
  name: string
  address: string
  /** The addresses of its pods. */
  podNetwork: string
  podGateway: string
  /** The end of its cable that is on this machine's bridge. */
  cable: string
  /** State of its own, under `stateRoot`. */
  folder: string
  /** Where its pods' cgroups hang; a kubelet removes every pod cgroup it does not know under its root. */
  cgroup: string
}

// Two roots (one in a network namespace of its own, say) must not share a cgroup either.
const mark = createHash('sha256').update(stateRoot).digest('hex').slice(0, 6)

function place(letter: string, number: number): NodePlace {
  const name = `node-${letter}`
  return {
    name,
    address: `10.89.0.${10 + number}`,
    podNetwork: `10.88.${number}.0/24`,
    podGateway: `10.88.${number}.1`,
    cable: `knode-${letter}`,
    folder: join(stateRoot, name),
    cgroup: `/standin-${mark}-${name}`,
  }
}

export const nodes: readonly NodePlace[] = [place('a', 1), place('b', 2)]

/** The node of that name; throws for a name the cluster has not. */
export function nodeNamed(name: string): NodePlace {
  const node = nodes.find(one => one.name === name)
  if (node === undefined)
    throw new Error(`Cannot find node "${name}": the cluster has ${nodes.map(n => n.name).join(', ')}`)
  return node
}
