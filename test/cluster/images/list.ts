// The images of the test cluster, each a list of layers: no registry is reachable, so they are made of what this machine and Debian have.
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { programPath, programsFolder } from '../programs.ts'
import { run } from '../run.ts'
import { unpackPackages } from './debian.ts'
import { copyOwn, type Layer, librariesOf } from './layers.ts'
import { pauseProgram, staticProgram } from './pause.ts'
import { certificate, repository } from './web.ts'

export interface Image {
  name: string
  layers: readonly Layer[]
  /** The "config" of an OCI image: what runs, as whom, with which variables. */
  config: Record<string, unknown>
}

const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const own = (name: string): string => readFileSync(join(import.meta.dirname, name), 'utf8')

// busybox is static (package busybox-static); its links stand in for every command that an image lacks. Debian's wget of it crashes.
const broken = ['wget']
async function addShell(root: string): Promise<void> {
  const [busybox] = ['/bin/busybox', '/usr/bin/busybox'].filter(existsSync)
  copyOwn(root, busybox!, '/bin/busybox')
  for (const applet of (await run(busybox!, ['--list'])).split('\n'))
    if (
      !broken.includes(applet) &&
      !existsSync(join(root, 'bin', applet)) &&
      !existsSync(join(root, 'sbin', applet))
    )
      symlinkSync('busybox', join(root, 'bin', applet))
}

function addAccounts(root: string): void {
  for (const name of ['etc', 'proc', 'sys', 'dev', 'root', 'tmp', 'app', 'run', 'var/run'])
    mkdirSync(join(root, name), { recursive: true })
  chmodSync(join(root, 'tmp'), 0o1777)
  const people = { root: 0, 'www-data': 33, redis: 998, postgres: 999, nobody: 65534 }
  const lines = (line: (name: string, id: number) => string): string =>
    Object.entries(people)
      .map(([name, id]) => `${line(name, id)}\n`)
      .join('')
  writeFileSync(
    join(root, 'etc/passwd'),
    lines((name, id) => `${name}:x:${id}:${id}:${name}:/:/bin/sh`),
  )
  writeFileSync(
    join(root, 'etc/group'),
    lines((name, id) => `${name}:x:${id}:`),
  )
  writeFileSync(join(root, 'etc/nsswitch.conf'), 'hosts: files dns\n')
}

const node: Layer = {
  name: 'node',
  stamp: [process.version, '2'],
  async fill(root) {
    mkdirSync(join(root, 'usr/bin'), { recursive: true })
    copyOwn(root, process.execPath, '/usr/local/bin/node')
    symlinkSync('/usr/local/bin/node', join(root, 'usr/bin/node'))
    for (const library of await librariesOf(process.execPath)) copyOwn(root, library)
    // The C library loads these by name when it resolves names.
    const folder = dirname((await librariesOf(process.execPath)).find(library => /\/libc\.so/.test(library))!)
    for (const library of ['libnss_files.so.2', 'libnss_dns.so.2', 'libresolv.so.2'])
      copyOwn(root, join(folder, library))
    await addShell(root)
    addAccounts(root)
  },
}

function debian(name: string, packages: string[], programs: string[]): Layer {
  return {
    name,
    stamp: [...packages, ...programs, own('debian.ts'), '2'],
    async fill(root) {
      await unpackPackages(root, packages, programs)
      await addShell(root)
      addAccounts(root)
    },
  }
}

/** One file of this folder. */
const file = (name: string, to: string): Layer => ({
  name: name.replace(/\W/g, '-'),
  stamp: [own(name), to],
  async fill(root) {
    mkdirSync(dirname(join(root, to)), { recursive: true })
    writeFileSync(join(root, to), own(name))
  },
})

/** One static program, and nothing else: no shell, no C library, no accounts. */
const alone = (name: string, stamp: string, program: () => Promise<string>): Layer => ({
  name,
  stamp: [stamp],
  fill: async root => copyOwn(root, await program(), `/${name}`),
})

export const pause: Image = {
  name: 'localhost/pause:3.10',
  layers: [alone('pause', own('pause.c'), pauseProgram)],
  config: { Entrypoint: ['/pause'] },
}

/** What the cluster itself runs on: stands in for "a stock Node image" too. */
export const baseImages: readonly Image[] = [
  pause,
  {
    name: 'localhost/coredns:1',
    layers: [alone('coredns', programsFolder, async () => programPath('coredns'))],
    config: { Entrypoint: ['/coredns'] },
  },
  { name: 'localhost/node:20', layers: [node], config: { Cmd: ['node'], Env: [path], WorkingDir: '/app' } },
]

const postgres = debian(
  'postgres',
  ['postgresql-15'],
  ['/usr/lib/postgresql/15/bin/postgres', '/usr/lib/postgresql/15/bin/psql'],
)

/** What the shop of workloads/ runs. */
export const workloadImages: readonly Image[] = [
  {
    name: 'localhost/nginx:1',
    layers: [
      debian('nginx', ['nginx-light'], ['/usr/sbin/nginx']),
      certificate,
      repository,
      file('nginx.conf', '/etc/nginx/nginx.conf'),
    ],
    config: { Cmd: ['nginx', '-g', 'daemon off;'], Env: [path], StopSignal: 'SIGQUIT' },
  },
  {
    name: 'localhost/checkout:1',
    layers: [node, file('checkout.mjs', '/app/checkout.mjs')],
    config: { Cmd: ['node', 'checkout.mjs'], Env: [path], WorkingDir: '/app' },
  },
  {
    name: 'localhost/prices:1',
    layers: [debian('python', ['python3.11'], ['/usr/bin/python3.11']), file('prices.py', '/app/prices.py')],
    config: { Cmd: ['python3.11', '-u', 'prices.py'], Env: [path], WorkingDir: '/app' },
  },
  {
    name: 'localhost/postgres:15',
    layers: [postgres, file('postgres.sh', '/app/postgres.sh')],
    config: {
      Cmd: ['sh', '/app/postgres.sh'],
      Env: [`${path}:/usr/lib/postgresql/15/bin`, 'PGDATA=/data/db'],
      User: '999:999',
    },
  },
  {
    name: 'localhost/redis:1',
    layers: [debian('redis', ['redis-server'], ['/usr/bin/redis-server'])],
    config: { Cmd: ['redis-server', '--save', '', '--protected-mode', 'no'], Env: [path], User: '998:998' },
  },
  {
    name: 'localhost/nats:2',
    layers: [debian('nats', ['nats-server'], ['/usr/sbin/nats-server'])],
    config: { Cmd: ['nats-server'], Env: [path], User: '65534:65534' },
  },
  {
    name: 'localhost/stock:1',
    layers: [
      debian('grpc', ['python3.11', 'python3-grpcio'], ['/usr/bin/python3.11']),
      file('stock.py', '/app/stock.py'),
    ],
    config: { Cmd: ['python3.11', '-u', 'stock.py'], Env: [path], WorkingDir: '/app', User: '65534:65534' },
  },
  {
    name: 'localhost/static:1',
    layers: [alone('static', own('static.c'), () => staticProgram('static.c'))],
    config: { Entrypoint: ['/static'] },
  },
]
