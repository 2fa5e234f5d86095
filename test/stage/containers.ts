// Real containers for tests, from one static program and no registry: podman's, and Docker's and plain containerd's with daemons of their own.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const execFileAsync = promisify(execFile)
const image = 'standin-test'
const readyWithinMs = 15_000

export type Containers = {
  /** Variables that lead podman, docker and ctr here; the agent gets them too. */
  readonly env: Readonly<Record<string, string>>
  podman(...args: string[]): Promise<string>
  docker(...args: string[]): Promise<string>
  ctr(...args: string[]): Promise<string>
  /** Starts busybox's web server in a container and returns the container's id; `podman rm -f` or `end` ends it. */
  startInPodman(name: string, port: number, ...options: string[]): Promise<string>
  startInDocker(name: string, port: number, ...options: string[]): Promise<string>
  startInContainerd(namespace: string, id: string, port: number, ...options: string[]): Promise<void>
  /** Ends podman's and Docker's containers. */
  clear(): Promise<void>
  /** Ends all containers and the daemons, and removes the folder that holds everything. */
  end(): Promise<void>
}

export async function startContainers(): Promise<Containers> {
  const folder = mkdtempSync(join(tmpdir(), 'standin-containers-'))
  const env = writeConfiguration(folder)
  const run = async (program: string, args: readonly string[]) =>
    (await execFileAsync(program, args, { env: { ...process.env, ...env } })).stdout.trim()
  const podman = (...args: string[]) => run('podman', args)
  const docker = (...args: string[]) => run('docker', args)
  const ctr = (...args: string[]) => run('ctr', args)
  const archive = join(folder, 'root.tar')
  await run('tar', ['-C', packRoot(folder), '-cf', archive, '.'])
  await podman('import', '--quiet', archive, image)
  const daemons = [await startContainerd(folder), await startDocker(folder)]
  await docker('import', archive, image)
  const held: [namespace: string, id: string][] = []
  return {
    env,
    podman,
    docker,
    ctr,
    async startInPodman(name, port, ...options) {
      const network = options.includes('--network') ? [] : ['--network', 'none']
      return await podman('run', '-d', '--name', name, ...network, ...limits, ...options, ...serveAt(port))
    },
    startInDocker: (name, port, ...options) =>
      docker('run', '-d', '--name', name, '--network', 'none', ...limits, ...options, ...serveAt(port)),
    async startInContainerd(namespace, id, port, ...options) {
      const rootfs = ['--rootfs', join(folder, 'root')]
      await ctr(
        '-n',
        namespace,
        'run',
        '-d',
        ...options,
        ...rootfs,
        id,
        '/bin/busybox',
        'httpd',
        '-f',
        '-p',
        `${port}`,
      )
      held.push([namespace, id])
    },
    clear: () => removeAll(podman, docker),
    async end() {
      await removeAll(podman, docker)
      for (const [namespace, id] of held) {
        await ctr('-n', namespace, 'tasks', 'rm', '--force', id)
        await ctr('-n', namespace, 'containers', 'rm', id)
      }
      for (const daemon of daemons) {
        daemon.kill('SIGTERM')
        await once(daemon, 'exit')
      }
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const limits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024']
const serveAt = (port: number) => [image, '/bin/busybox', 'httpd', '-f', '-p', `${port}`]

/** Youngest first: a container that lends its network to another can't go before it. */
async function removeAll(podman: Containers['podman'], docker: Containers['docker']): Promise<void> {
  const inDocker = await docker('ps', '--all', '--quiet')
  if (inDocker !== '') await docker('rm', '--force', ...inDocker.split('\n'))
  const ids = await podman('ps', '--all', '--quiet', '--sort', 'created')
  for (const id of ids
    .split('\n')
    .filter(line => line !== '')
    .reverse())
    await podman('rm', '--force', '--time', '0', id)
}

/** runc, because crun refuses a machine whose cgroups are half v1 and half v2. */
function writeConfiguration(folder: string): Record<string, string> {
  const store = `[storage]\ndriver = "vfs"\ngraphroot = "${folder}/podman"\nrunroot = "${folder}/podman-run"\n`
  const engine = `[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n`
  writeFileSync(join(folder, 'storage.conf'), store)
  writeFileSync(join(folder, 'containers.conf'), engine)
  return {
    CONTAINERS_STORAGE_CONF: join(folder, 'storage.conf'),
    CONTAINERS_CONF: join(folder, 'containers.conf'),
    CONTAINERD_ADDRESS: join(folder, 'containerd.sock'),
    DOCKER_HOST: `unix://${folder}/docker.sock`,
  }
}

function packRoot(folder: string): string {
  const root = join(folder, 'root')
  for (const name of ['bin', 'proc', 'sys', 'dev', 'etc']) mkdirSync(join(root, name), { recursive: true })
  copyFileSync('/bin/busybox', join(root, 'bin/busybox'))
  return root
}

async function startContainerd(folder: string): Promise<ChildProcess> {
  const config = join(folder, 'containerd.toml')
  const rows = [
    'version = 2',
    `root = "${folder}/containerd"`,
    `state = "${folder}/containerd-run"`,
    'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
    '[grpc]',
    `address = "${folder}/containerd.sock"`,
  ]
  writeFileSync(config, `${rows.join('\n')}\n`)
  const daemon = await started('containerd', ['-c', config], 'successfully booted')
  if (!existsSync(join(folder, 'containerd.sock'))) throw new Error('containerd has no socket')
  return daemon
}

/** Without networks, which would need rules in the machine's firewall. */
function startDocker(folder: string): Promise<ChildProcess> {
  const places = ['--data-root', `${folder}/docker`, '--exec-root', `${folder}/docker-run`]
  const none = ['--bridge', 'none', '--iptables=false', '--ip6tables=false']
  const own = ['--pidfile', `${folder}/docker.pid`, '--host', `unix://${folder}/docker.sock`]
  return started('dockerd', [...places, ...none, ...own, '--storage-driver', 'vfs'], 'API listen on')
}

/** Resolves when it has said the word on standard error. */
async function started(program: string, args: readonly string[], word: string): Promise<ChildProcess> {
  const daemon = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(
      () => reject(new Error(`${program} was not up within 15 s; it said ${said.slice(-500)}`)),
      readyWithinMs,
    )
    daemon.on('error', reject)
    daemon.stderr?.on('data', chunk => {
      said += chunk
      if (!said.includes(word)) return
      clearTimeout(late)
      resolve()
    })
  })
  return daemon
}
