// What the process reads of names is the pod's, with what the hooks need added, and nothing of this machine's hosts.
import assert from 'node:assert/strict'
import { parseResolvConf } from '../../../protocol/names/resolv-conf.ts'
import { nameserversOf, podNamesOf, questionMs } from '../../../server/names/files.ts'

const facts = (resolvConf?: string, hosts?: string) => ({
  hostname: 'shop-0',
  nameFiles: {
    notices: [],
    ...(resolvConf === undefined ? {} : { resolvConf }),
    ...(hosts === undefined ? {} : { hosts }),
  },
})
const all = { dns: true, hostname: true }

describe('podNamesOf()', () => {
  it("gives the pod's files, questions by TCP, and this machine's users", () => {
    const nsswitch =
      'passwd: files sss\nhosts: files mdns4_minimal [NOTFOUND=return] resolve dns\ngroup: files'
    const { files, nameservers, hostname } = podNamesOf(
      facts('search a b\nnameserver 10.96.0.10', '10.1.2.3 shop-0\n'),
      all,
      nsswitch,
    )
    assert.deepEqual(files, {
      '/etc/resolv.conf': 'search a b\nnameserver 10.96.0.10\noptions use-vc\n',
      '/etc/hosts': '10.1.2.3 shop-0\n',
      '/etc/nsswitch.conf': 'passwd: files sss\ngroup: files\nhosts: files dns\n',
      '/etc/hostname': 'shop-0\n',
      '/proc/sys/kernel/hostname': 'shop-0\n',
    })
    assert.deepEqual([nameservers, hostname], [['10.96.0.10'], 'shop-0'])
  })

  it('a pod without such files has empty ones, and asks itself, as a resolver does', () => {
    const { files, nameservers } = podNamesOf(facts(), all, '')
    assert.deepEqual(files['/etc/resolv.conf'], 'options use-vc\n')
    assert.deepEqual(files['/etc/hosts'], '')
    assert.deepEqual(nameservers, ['127.0.0.1', '::1'])
  })

  it('each feature leaves what is its own', () => {
    const withoutDns = podNamesOf(facts('nameserver 10.96.0.10\n'), { dns: false, hostname: true }, '')
    assert.deepEqual(Object.keys(withoutDns.files), ['/etc/hostname', '/proc/sys/kernel/hostname'])
    assert.deepEqual([withoutDns.nameservers, withoutDns.refusedSockets], [[], []])
    const withoutName = podNamesOf(facts(), { dns: true, hostname: false }, '')
    assert.equal('hostname' in withoutName, false)
    assert.equal('/etc/hostname' in withoutName.files, false)
  })

  it('refuses the daemons that answer for this machine, under /run and its older name', () => {
    const { refusedSockets } = podNamesOf(facts(), all, '')
    for (const path of [
      '/run/nscd/socket',
      '/var/run/nscd/socket',
      '/run/systemd/resolve/io.systemd.Resolve',
    ])
      assert.ok(refusedSockets.includes(path), path)
  })
})

describe('nameserversOf()', () => {
  it('reads every nameserver, without scopes and comments', () => {
    const text =
      '# nameserver 1.1.1.1\nnameserver 10.0.0.1 # one\n nameserver 10.0.0.9\nnameserver\tfe80::1%eth0\nnameserver 10.0.0.2;x\n'
    assert.deepEqual(nameserversOf(text), ['10.0.0.1', 'fe80::1', '10.0.0.2'])
  })
})

describe('questionMs()', () => {
  for (const [text, expected] of [
    ['', 10_000],
    ['options ndots:5\n', 10_000],
    ['options ndots:5 timeout:1 attempts:3\n', 3_000],
    ['options timeout:2\noptions attempts:1\n', 2_000],
    ['options timeout:90 attempts:90\n', 150_000],
    ['options timeout:0 attempts:0\n', 1_000],
    ['# options timeout:1\n', 10_000],
  ] as const)
    it(`of ${JSON.stringify(text)} is ${expected}`, () =>
      assert.equal(questionMs(parseResolvConf(text)), expected))
})
