// Files of names and host name under the hooks: each program sees the pod's, however it asks, and this machine's files stay as they are.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compile } from '../../stage/compile-programs.ts'
import { HookHarness, nobody, type StartOptions } from '../../stage/hook-harness.ts'

const daemon = join(tmpdir(), `standin-names-${process.pid}.socket`)
const text = 'nameserver 198.51.100.53\nsearch shop.svc.cluster.local\n'
const names = {
  files: { '/etc/resolv.conf': text, '/etc/hosts': 'pod hosts\n', '/proc/sys/kernel/hostname': 'shop-0\n' },
  nameservers: ['198.51.100.53', '127.0.0.11'],
  refusedSockets: [daemon],
  hostname: 'shop-0',
}
const shown = text.replaceAll('\n', '|')

for (const [user, owner] of [
  ['root', {}],
  ['an ordinary user', nobody],
] as const)
  describe(`names of a process of ${user}`, () => {
    let harness: HookHarness
    beforeEach(async () => {
      harness = await HookHarness.open(owner)
    })
    afterEach(async () => assert.deepEqual(await harness.close(), []))

    /** What it printed, when it has ended. */
    async function printed(command: readonly string[], options: StartOptions = {}): Promise<string[]> {
      const hooked = await harness.start(command, { names, ...options })
      await hooked.next('exit')
      await hooked.ended
      return [...hooked.output.all, ...hooked.errors.all]
    }

    for (const recipe of ['c', 'c-static', 'c-musl'] as const)
      it(`${recipe}: every way to open gives the pod's file, none to write it`, async () => {
        const path = '/etc/resolv.conf'
        const all = await printed([compile('read-names.c', recipe), path, '/etc//../etc/resolv.conf'])
        const ways = [
          `open: ${shown} cloexec=0`,
          `openat: ${shown} cloexec=0`,
          `openat2: ${shown} cloexec=1`,
          'write: errno 30',
          'folder: errno 20',
          'exclusive: errno 17',
        ]
        assert.deepEqual(all, ['shop-0 shop-0 Linux', ...ways, ...ways])
        assert.notEqual(readFileSync(path, 'utf8'), text)
      })

    const programs: Record<string, readonly string[]> = {
      Python: ['/usr/bin/python3', '-c', 'print(open("/etc/resolv.conf").read(), end="")'],
      Node: [process.execPath, '-e', 'process.stdout.write(fs.readFileSync("/etc/resolv.conf"))'],
      bash: ['/bin/bash', '-c', 'cat /etc/resolv.conf'],
      'a relative path': ['/bin/bash', '-c', 'cd /etc && cat resolv.conf'],
      'a folder that is open': [
        '/usr/bin/python3',
        '-c',
        'import os; print(os.read(os.open("resolv.conf", 0, dir_fd=os.open("/etc", 0)), 999).decode(), end="")',
      ],
      'a static Go program': [compile('read-file.go', 'go-static'), '/etc/resolv.conf'],
    }
    for (const [program, command] of Object.entries(programs))
      it(`${program} reads the pod's file`, async () => {
        assert.deepEqual(await printed(command), text.trimEnd().split('\n'))
      })

    it('two openings have a place of their own, and can be mapped', async () => {
      const code = `
import mmap
one, two = open("/etc/hosts", "rb"), open("/etc/hosts", "rb")
print(one.read(3), two.read(3), mmap.mmap(one.fileno(), 0, prot=mmap.PROT_READ)[:])`
      assert.deepEqual(await printed(['/usr/bin/python3', '-c', code]), ["b'pod' b'pod' b'pod hosts\\n'"])
    })

    it('uname, hostname and the kernel’s own file say the pod’s name', async () => {
      const command = 'hostname; uname -n; cat /proc/sys/kernel/hostname; uname -s'
      const all = await printed(['/bin/bash', '-c', command])
      assert.deepEqual(all, ['shop-0', 'shop-0', 'shop-0', 'Linux'])
    })

    it('no other file takes their place, and they are not moved away', async () => {
      const code = `
import errno, os, tempfile
made = tempfile.mkdtemp() + "/hosts"
open(made, "w").write("other")
at = os.open("/etc", os.O_RDONLY)
ways = [
    lambda: os.rename(made, "/etc/hosts"),
    lambda: os.rename("/etc/hosts", made),
    lambda: os.rename(made, "hosts", dst_dir_fd=at),
]
for way in ways:
    try: way()
    except OSError as error: print(errno.errorcode[error.errno])
os.rename(made, made + ".old")`
      const before = readFileSync('/etc/hosts', 'utf8')
      assert.deepEqual(await printed(['/usr/bin/python3', '-c', code]), ['EROFS', 'EROFS', 'EROFS'])
      assert.equal(readFileSync('/etc/hosts', 'utf8'), before)
    })

    it('a program that is debugged, without random addresses, sees the name too', async () => {
      assert.deepEqual(await printed(['setarch', '-R', 'uname', '-n']), ['shop-0'])
    })

    it('other files of the same name are left alone', async () => {
      const command =
        'cd $(mktemp -d) && echo own > hosts && cat hosts && cat /etc/hostname > /dev/null && rm hosts'
      assert.deepEqual(await printed(['/bin/bash', '-c', command]), ['own'])
    })

    it('a process without room for a descriptor hears EMFILE', async () => {
      const code = `
import errno, os, resource
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
try:
    while True: os.open("/etc/hosts", 0)
except OSError as error: print(errno.errorcode[error.errno])`
      assert.deepEqual(await printed(['/usr/bin/python3', '-c', code]), ['EMFILE'])
    })

    it('a daemon that would answer in the pod’s place is not there, and a connection to a nameserver is the pod’s', async () => {
      const server = createServer(socket => socket.destroy())
      await new Promise<void>(done => server.listen(daemon, done))
      try {
        const code = `
import errno, socket
for family, address in [(socket.AF_UNIX, ${JSON.stringify(daemon)}), (socket.AF_INET, ("127.0.0.11", 53))]:
    try: socket.socket(family).connect(address)
    except OSError as error: print(errno.errorcode[error.errno])`
        const outgoing = { tcp: true, ignoreLocalhost: true }
        // Without a relay what is the pod's is refused.
        assert.deepEqual(await printed(['/usr/bin/python3', '-c', code], { outgoing }), [
          'ENOENT',
          'ENETUNREACH',
        ])
      } finally {
        server.close()
      }
    })

    it('without any, all of them are this machine’s', async () => {
      const hooked = await harness.start(['/bin/bash', '-c', 'cat /etc/hosts; uname -n'])
      await hooked.next('exit')
      await hooked.ended
      const own = readFileSync('/etc/hosts', 'utf8').trimEnd().split('\n')
      const name = readFileSync('/proc/sys/kernel/hostname', 'utf8').trimEnd()
      assert.deepEqual(hooked.output.all, [...own, name])
    })
  })
