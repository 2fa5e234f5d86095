// What a fresh machine gets from .ci/run: every program that tests start is in a list of packages, and Go, which is in none, is asked for.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { filesUnder, textOf } from './files.ts'

/** Debian's package of each program that tests start; undefined for what every Debian, Node.js or Go has. */
const packageOf: Record<string, string | undefined> = {
  ...Object.fromEntries(
    [
      'sh',
      'bash',
      'cat',
      'true',
      'false',
      'sleep',
      'ls',
      'echo',
      'tar',
      'wc',
      'chmod',
      'chroot',
      'ldd',
      'env',
    ].map(name => [name, undefined]),
  ),
  ...Object.fromEntries(['npm', 'node', 'go', 'apt-get', 'dpkg'].map(name => [name, undefined])),
  // bsdutils, which is essential
  script: undefined,
  ip: 'iproute2',
  tc: 'iproute2',
  ss: 'iproute2',
  ps: 'procps',
  pgrep: 'procps',
  openssl: 'openssl',
  nsenter: 'util-linux',
  unshare: 'util-linux',
  setpriv: 'util-linux',
  taskset: 'util-linux',
  prlimit: 'util-linux',
  docker: 'docker.io',
  dockerd: 'docker.io',
  flock: 'util-linux',
  nft: 'nftables',
  dnsmasq: 'dnsmasq-base',
  dig: 'bind9-dnsutils',
  curl: 'curl',
  gcc: 'gcc',
  cc: 'gcc',
  as: 'binutils',
  ld: 'binutils',
  'musl-gcc': 'musl-tools',
  javac: 'default-jdk-headless',
  java: 'default-jdk-headless',
  python3: 'python3',
  strace: 'strace',
  gdb: 'gdb',
  fish: 'fish',
  zsh: 'zsh',
  podman: 'podman',
  ctr: 'containerd',
  containerd: 'containerd',
  runc: 'runc',
  faketime: 'faketime',
  iptables: 'iptables',
  git: 'git',
  psql: 'postgresql-client',
  'redis-cli': 'redis-tools',
  cargo: 'cargo-web',
}
const listed = (folder: string) => textOf(`test/${folder}/packages.txt`).split('\n').filter(Boolean)
/** A program named where one is started: `spawn('ps', ...)`, `.run('ip', ...)`. */
const started =
  /\b(?:spawn|spawnSync|execFile|execFileSync|execFileAsync|run|execa|succeeds)\(\s*'(?:\/usr\/bin\/|\/bin\/)?([a-z][a-z0-9-]*)'\s*,/g

describe('the packages for a fresh machine', () => {
  const named = filesUnder('test')
    .filter(path => /\.ts$/.test(path) && path !== 'test/repository/ci.test.ts')
    .flatMap(path => [...textOf(path).matchAll(started)].map(match => ({ path, program: match[1]! })))
    .filter(({ program }) => program in packageOf || spawnSync('which', [program]).status === 0)

  it('are known for each program that tests start', () => {
    assert.ok(named.length > 20)
    assert.deepEqual(
      named.filter(({ program }) => !(program in packageOf)),
      [],
    )
  })

  it('are on the list of the tests that start it', () => {
    const unlisted = named.filter(({ path, program }) => {
      const needed = packageOf[program]
      const lists = path.startsWith('test/cluster/')
        ? [...listed('cluster'), ...listed('journeys')]
        : listed('journeys')
      return needed !== undefined && !lists.includes(needed)
    })
    assert.deepEqual(unlisted, [])
  })
})

describe('.ci/run', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ci-'))
  /** A PATH that has no Go. */
  const tools = join(folder, 'tools')
  before(() => {
    for (const path of ['.ci/run', ...filesUnder('test/cluster').filter(file => file.endsWith('/go.mod'))])
      cpSync(path, join(folder, path))
    for (const path of [join(folder, 'bin'), tools]) mkdirSync(path)
    for (const name of ['dirname', 'sed', 'sort', 'tail'])
      symlinkSync(execFileSync('which', [name], { encoding: 'utf8' }).trim(), join(tools, name))
    for (const path of ['journeys', 'cluster']) {
      mkdirSync(join(folder, 'test', path), { recursive: true })
      writeFileSync(join(folder, 'test', path, 'packages.txt'), 'coreutils\n')
    }
  })
  after(() => rmSync(folder, { recursive: true }))

  /** Runs it in a checkout that has no package.json, so that it gets no further than to npm. */
  function run(path: string) {
    const env = { PATH: path, GOROOT: '/nowhere', HOME: folder }
    return spawnSync('/bin/bash', ['.ci/run'], { cwd: folder, env, encoding: 'utf8' })
  }
  const needed = execFileSync(
    'sh',
    ['-c', "sed -n 's/^go //p' test/cluster/*/go.mod | sort -V | tail -n 1"],
    {
      encoding: 'utf8',
    },
  ).trim()

  it('says in one sentence that Go is missing, and counts a failure', () => {
    const { stdout, stderr, status } = run(tools)
    assert.equal(status, 1)
    assert.equal(stdout, '0 passed, 1 failed\n')
    assert.match(
      stderr,
      new RegExp(
        `^The tests need Go ${needed} or newer, .*go: command not found.*unpack it to /usr/local/go\\.\\n$`,
      ),
    )
  })

  it('says so when Go is too old for the cluster', () => {
    const go = join(folder, 'bin', 'go')
    writeFileSync(
      go,
      '#!/bin/sh\necho "go: errors parsing go.mod:" >&2\necho "go.mod:3: invalid go version" >&2\nexit 1\n',
    )
    chmodSync(go, 0o755)
    const { stdout, stderr, status } = run([join(folder, 'bin'), tools].join(delimiter))
    assert.equal(status, 1)
    assert.equal(stdout, '0 passed, 1 failed\n')
    assert.match(stderr, /^The tests need Go .* \(go.mod:3: invalid go version\): .*\n$/)
  })

  it('needs the version of Go that README names', () => {
    const [, named] = /Go (\d+\.\d+) or newer/.exec(readFileSync('README.md', 'utf8'))!
    assert.equal(needed.split('.').slice(0, 2).join('.'), named)
  })
})
