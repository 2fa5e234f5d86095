// The configuration files of one node: containerd, its pods' network, kubelet and kube-proxy.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { keyFile, kubeconfigOf } from './certificates.ts'
import { controlAddress, dnsService, type NodePlace, podNetwork } from './layout.ts'

/** Writes them all into the node's `etc`. JSON is YAML, which is what kubelet and kube-proxy read. */
export function writeNodeFiles(node: NodePlace): void {
  const etc = join(node.folder, 'etc')
  mkdirSync(join(etc, 'cni'), { recursive: true })
  put(join(etc, 'containerd.toml'), containerd(node))
  // Nobody answers there: what the cluster's DNS does not know does not exist.
  put(join(etc, 'resolv.conf'), `nameserver ${controlAddress}\n`)
  for (const [name, content] of Object.entries({
    'cni/10-pods.conflist': network(node),
    'kubelet.yaml': kubelet(node),
    'proxy.yaml': proxy(node),
  }))
    put(join(etc, name), `${JSON.stringify(content, null, 1)}\n`)
}

// kube-proxy ends when its file is written to, and CNI reads its own again: leave alone what has not changed.
function put(file: string, content: string): void {
  if (!existsSync(file) || readFileSync(file, 'utf8') !== content) writeFileSync(file, content)
}

function containerd({ folder }: NodePlace): string {
  const absent = [
    'snapshotter.v1.btrfs',
    'snapshotter.v1.aufs',
    'snapshotter.v1.zfs',
    'snapshotter.v1.devmapper',
    'internal.v1.tracing',
    'tracing.processor.v1.otlp',
  ]
  const cri = 'plugins."io.containerd.grpc.v1.cri"'
  return `version = 2
root = "${folder}/containerd/root"
state = "${folder}/containerd/state"
disabled_plugins = ${JSON.stringify(absent.map(name => `io.containerd.${name}`))}
[grpc]
  address = "${folder}/containerd.sock"
[ttrpc]
  address = "${folder}/containerd.sock.ttrpc"
[plugins."io.containerd.internal.v1.opt"]
  path = "${folder}/containerd/opt"
[${cri}]
  sandbox_image = "localhost/pause:3.10"
  restrict_oom_score_adj = true
  stream_server_address = "127.0.0.1"
[${cri}.cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "${folder}/etc/cni"
[${cri}.containerd]
  default_runtime_name = "runc"
[${cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[${cri}.containerd.runtimes.runc.options]
  BinaryName = "/usr/sbin/runc"
  SystemdCgroup = false
`
}

// A cable a pod and routes, no bridge: a packet between two pods of a node is routed, and so passes the service rules both ways.
const network = ({ folder, podNetwork: subnet, podGateway: gateway }: NodePlace) => ({
  cniVersion: '1.0.0',
  name: 'pods',
  plugins: [
    {
      type: 'ptp',
      ipMasq: false,
      ipam: {
        type: 'host-local',
        dataDir: join(folder, 'cni'),
        ranges: [[{ subnet, gateway }]],
        routes: [{ dst: '0.0.0.0/0' }],
      },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
})

const kubelet = ({ name, address, folder, cgroup }: NodePlace) => ({
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  address,
  authentication: {
    anonymous: { enabled: false },
    webhook: { enabled: true },
    x509: { clientCAFile: keyFile('ca.crt') },
  },
  authorization: { mode: 'Webhook' },
  tlsCertFile: keyFile(`${name}-server.crt`),
  tlsPrivateKeyFile: keyFile(`${name}-server.key`),
  containerRuntimeEndpoint: `unix://${folder}/containerd.sock`,
  cgroupDriver: 'cgroupfs',
  cgroupRoot: cgroup,
  failSwapOn: false,
  failCgroupV1: false,
  clusterDomain: 'cluster.local',
  clusterDNS: [dnsService],
  resolvConf: join(folder, 'etc/resolv.conf'),
  podLogsDir: join(folder, 'podlogs'),
  volumePluginDir: join(folder, 'volumes'),
  healthzBindAddress: address,
  registerWithTaints: [],
  syncFrequency: '10s',
  nodeStatusUpdateFrequency: '5s',
  evictionHard: {
    'memory.available': '100Mi',
    'nodefs.available': '2%',
    'imagefs.available': '2%',
    'nodefs.inodesFree': '1%',
  },
  // Images come from here and from nowhere else: none may be collected.
  imageGCHighThresholdPercent: 100,
  imageGCLowThresholdPercent: 99,
  containerLogMaxSize: '10Mi',
  serializeImagePulls: false,
  maxPods: 110,
})

const proxy = ({ name, address }: NodePlace) => ({
  apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
  kind: 'KubeProxyConfiguration',
  mode: 'iptables',
  hostnameOverride: name,
  clusterCIDR: podNetwork,
  bindAddress: address,
  healthzBindAddress: `${address}:10256`,
  metricsBindAddress: '127.0.0.1:10249',
  nodePortAddresses: [`${address}/32`],
  clientConnection: { kubeconfig: kubeconfigOf('proxy') },
  // The table's size belongs to the machine, not to a network namespace.
  conntrack: { maxPerCore: 0, min: 0 },
})
