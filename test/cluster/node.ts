// One worker node: an init that holds its namespaces, and in them a containerd, a kubelet and a kube-proxy that see nothing of the machine's other processes.
import { spawn } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { pauseProgram } from './images/pause.ts'
import { type NodePlace, stateRoot } from './layout.ts'
import { connectNode } from './network.ts'
import { writeNodeFiles } from './node-files.ts'
import { onlyChild, remember, runningPid, start, stop } from './processes.ts'
import { programPath } from './programs.ts'
import { run, say, until } from './run.ts'

/** `ctr` arguments that reach the node's containerd, in the namespace that Kubernetes uses. */
export const ctr = (node: NodePlace): string[] => ['-a', join(node.folder, 'containerd.sock'), '-n', 'k8s.io']

/** Starts the node's namespaces and its containerd, or finds them running. */
export async function startRuntime(node: NodePlace): Promise<void> {
  for (const name of ['etc/cni', 'kubelet', 'podlogs', 'volumes'])
    mkdirSync(join(node.folder, name), { recursive: true })
  writeNodeFiles(node)
  const init = await startInit(node)
  await connectNode(node, init)
  await start({
    name: `${node.name}-containerd`,
    command: ['/usr/bin/containerd', '--config', join(node.folder, 'etc/containerd.toml')],
    inside: init,
  })
  await until(
    `containerd of ${node.name}`,
    30_000,
    async () => (await run('ctr', [...ctr(node), 'version'])) !== '',
  )
}

/** Starts the node's kubelet and kube-proxy, or finds them running. */
export async function startNode(node: NodePlace): Promise<void> {
  await startKubelet(node)
  await start({
    name: `${node.name}-kube-proxy`,
    command: [programPath('kube-proxy'), `--config=${join(node.folder, 'etc/proxy.yaml')}`],
    inside: initOf(node),
  })
}

async function startKubelet(node: NodePlace): Promise<void> {
  const files = [
    `--config=${join(node.folder, 'etc/kubelet.yaml')}`,
    `--kubeconfig=${join(stateRoot, 'etc', `${node.name}.kubeconfig`)}`,
  ]
  const places = [
    `--root-dir=${join(node.folder, 'kubelet')}`,
    `--cert-dir=${join(node.folder, 'kubelet/pki')}`,
  ]
  const names = [`--hostname-override=${node.name}`, `--node-ip=${node.address}`]
  await start({
    name: `${node.name}-kubelet`,
    command: [programPath('kubelet'), ...files, ...places, ...names],
    inside: initOf(node),
  })
  const health = `http://${node.address}:10248/healthz`
  await until(`the kubelet of ${node.name}`, 30_000, async () => (await fetch(health)).ok)
}

/** Ends the node's kubelet; its pods run on. */
export async function stopKubelet(node: NodePlace): Promise<void> {
  await stop(`${node.name}-kubelet`)
}

/** Ends the node's kubelet and starts it again, as its update would; waits until it says that it is healthy. */
export async function restartKubelet(node: NodePlace): Promise<void> {
  await stopKubelet(node)
  await startKubelet(node)
}

/** Ends the node as a power cut would: with its init the kernel ends every process of its namespaces. */
export async function stopNode(node: NodePlace): Promise<void> {
  const init = runningPid(`${node.name}-init`)
  await stop(`${node.name}-kubelet`)
  await stop(`${node.name}-init`, 'SIGKILL')
  for (const name of ['kubelet', 'kube-proxy', 'containerd']) await stop(`${node.name}-${name}`)
  if (init !== undefined)
    await until(`the cgroups of ${node.name} to be empty`, 10_000, async () => removeCgroups(node))
}

/** Runs a program in the node's namespaces: its network, processes and mounts. */
export async function inNode(node: NodePlace, command: readonly string[], input?: string): Promise<string> {
  return run(
    'nsenter',
    ['-t', String(initOf(node)), '-m', '-n', '-p', '-u', '-i', '--', ...command],
    input === undefined ? {} : { input },
  )
}

function initOf(node: NodePlace): number {
  const pid = runningPid(`${node.name}-init`)
  if (pid === undefined)
    throw new Error(`Cannot enter ${node.name}: it does not run, "npm run cluster:up" starts it`)
  return pid
}

// Slaves of this machine's mounts, so that what is unmounted here goes away there; /run, logs and CNI's notes are the node's own,
// /sys shows its network. Containers need shared mounts to hand theirs on.
const initScript = `
hostname "$1"
for m in $(awk '$2 ~ "^/run/" { print $2 }' /proc/mounts | sort -r); do umount -l "$m"; done
mount -t tmpfs -o mode=755 run /run
mount -t tmpfs -o mode=755 log /var/log
mkdir -p /var/lib/cni
mount -t tmpfs -o mode=755 cni /var/lib/cni
mkdir -p "$2/cgroup"
mount --rbind /sys/fs/cgroup "$2/cgroup"
mount -t sysfs sys /sys
mount --rbind "$2/cgroup" /sys/fs/cgroup
umount -l "$2/cgroup"
mount --make-rshared /
ip link set lo up
exec "$3"
`

async function startInit(node: NodePlace): Promise<number> {
  const name = `${node.name}-init`
  const running = runningPid(name)
  if (running !== undefined) return inPlace(node, running)
  // What a power cut left: addresses given to pods that are no more.
  rmSync(join(node.folder, 'cni'), { recursive: true, force: true })
  makeCgroups(node)
  const namespaces = [
    '--mount',
    '--propagation',
    'slave',
    '--pid',
    '--fork',
    '--mount-proc',
    '--net',
    '--uts',
    '--ipc',
  ]
  const log = openSync(join(stateRoot, 'log', `${name}.log`), 'a')
  const command = [
    ...namespaces,
    '--',
    'sh',
    '-ec',
    initScript,
    'sh',
    node.name,
    node.folder,
    await pauseProgram(),
  ]
  const child = spawn('unshare', command, { detached: true, stdio: ['ignore', log, log] })
  closeSync(log)
  child.unref()
  const pid = await onlyChild(child.pid!, name)
  // Before anything can fail: what is not written down nobody ends.
  remember(name, pid)
  say(`${name} started (pid ${pid})`)
  return inPlace(node, pid)
}

/** The script above has become the init, which is its last step. */
async function inPlace(node: NodePlace, pid: number): Promise<number> {
  const comm = async (): Promise<boolean> => readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'pause'
  await until(`${node.name} to have its mounts (log/${node.name}-init.log tells)`, 5000, comm)
  return pid
}

const hierarchies = (): string[] =>
  existsSync('/sys/fs/cgroup/cgroup.controllers')
    ? ['/sys/fs/cgroup']
    : readdirSync('/sys/fs/cgroup').map(name => join('/sys/fs/cgroup', name))

function makeCgroups(node: NodePlace): void {
  for (const hierarchy of hierarchies()) {
    const folder = join(hierarchy, node.cgroup)
    mkdirSync(folder, { recursive: true })
    // A new cpuset of cgroup v1 is empty, and nothing can run in it.
    for (const file of ['cpuset.cpus', 'cpuset.mems'])
      if (existsSync(join(hierarchy, file)))
        writeFileSync(join(folder, file), readFileSync(join(hierarchy, file), 'utf8'))
  }
}

function removeCgroups(node: NodePlace): boolean {
  const remove = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true }))
      if (entry.isDirectory()) remove(join(folder, entry.name))
    rmdirSync(folder)
  }
  for (const hierarchy of hierarchies()) {
    const folder = join(hierarchy, node.cgroup)
    if (existsSync(folder)) remove(folder)
  }
  return true
}
