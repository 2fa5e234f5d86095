// The parsers of what /proc says about a process, and the decisions on them.
import assert from 'node:assert/strict'
import { specEnvironment } from '../../../agent/targets/bundle.ts'
import { parseCommand } from '../../../agent/targets/command.ts'
import { boundEnvironment, isOverwritten, parseEnvironment } from '../../../agent/targets/environment.ts'
import { decideNeeds } from '../../../agent/targets/needs.ts'
import { decideEnter, decideObstacle } from '../../../agent/targets/rights.ts'
import { capability, hasCapability, hasEnded, parseStat } from '../../../agent/targets/stat.ts'
import { descendants, topmost } from '../../../agent/targets/tree.ts'

const fields =
  '10573 10584 10584 0 -1 4194560 1153 0 0 0 1 0 0 0 20 0 1 0 165127 2322432 369 18446744073709551615'

describe('parseStat()', () => {
  it('reads name, state, parent and start time', () => {
    const stat = parseStat(`10584 (busybox) S ${fields}`)
    assert.deepEqual(stat, { pid: 10584, name: 'busybox', state: 'S', parent: 10573, startTime: '165127' })
  })

  it('is not misled by a name with spaces and parentheses', () => {
    const stat = parseStat(`7 (a) R 1 (b) Z ${fields}`)
    assert.equal(stat?.name, 'a) R 1 (b')
    assert.equal(stat?.startTime, '165127')
    assert.equal(stat && hasEnded(stat), true)
  })

  it('gives nothing for what is no such file', () => {
    assert.equal(parseStat(''), undefined)
    assert.equal(parseStat('7 (a) R 1'), undefined)
  })
})

describe('hasCapability()', () => {
  it('reads the effective set', () => {
    const status = 'Name:\tnode\nCapPrm:\t000001ffffffffff\nCapEff:\t0000000000002000\n'
    assert.equal(hasCapability(status, capability.NET_RAW), true)
    assert.equal(hasCapability(status, capability.SYS_ADMIN), false)
    assert.equal(hasCapability('', capability.NET_RAW), false)
  })
})

describe('parseCommand()', () => {
  const read = (...argv: string[]) => parseCommand(Buffer.from(`${argv.join('\0')}\0`), 'comm')

  it('names a program without its folder', () => {
    const { name, command } = read('/usr/bin/python3', '/srv/shop.py', '--port', '80')
    assert.equal(name, 'python3')
    assert.equal(command, '/usr/bin/python3 /srv/shop.py --port 80')
  })

  it('names a program that set a title by its first word', () => {
    assert.equal(parseCommand(Buffer.from('nginx: master process /usr/sbin/nginx'), 'nginx').name, 'nginx')
  })

  it('falls back to the short name of a process without a command line', () => {
    assert.deepEqual(parseCommand(Buffer.alloc(0), 'kthreadd'), {
      name: 'kthreadd',
      command: 'kthreadd',
      argv: [''],
    })
  })

  it('lets no control character through, and at most 200 characters', () => {
    assert.equal(read('sh', '-c', 'a\u001b[2J\nb').command, 'sh -c a [2J b')
    assert.equal(read('x', 'y'.repeat(500)).command.length, 200)
  })
})

describe('parseEnvironment()', () => {
  it('reads values with "=" and line breaks, and no entry without a name', () => {
    const bytes = Buffer.from('A=1\0B=x=y\0C=two\nlines\0D=\0=odd\0nothing\0')
    assert.deepEqual(parseEnvironment(bytes), { A: '1', B: 'x=y', C: 'two\nlines', D: '' })
  })

  it('takes the first of two with one name, as getenv does', () => {
    assert.deepEqual(parseEnvironment(Buffer.from('A=1\0A=2\0')), { A: '1' })
  })
})

describe('isOverwritten()', () => {
  it('is so for what a title leaves of variables, and not for variables', () => {
    const overwritten = ['er process\0\0\0\0', '\0\0', 'title\0B=2\0', 'A=1\0\0B=2\0', 'title   ']
    for (const text of overwritten) assert.equal(isOverwritten(Buffer.from(text)), true, JSON.stringify(text))
    for (const text of ['', 'A=1\0', 'A=\0B=x=y\0', 'A=1'])
      assert.equal(isOverwritten(Buffer.from(text)), false, JSON.stringify(text))
  })
})

describe('specEnvironment()', () => {
  const spec = (cgroupsPath: unknown, env: unknown = ['A=1', 'B=x=y']) =>
    specEnvironment(JSON.stringify({ process: { env }, linux: { cgroupsPath } }), 'abc')

  it('reads the variables of the container that is meant', () => {
    for (const path of [
      '/k8s.io/abc',
      'machine.slice:libpod:abc',
      'system.slice:docker:abc',
      '/user/libpod-abc',
    ])
      assert.deepEqual(spec(path), { A: '1', B: 'x=y' }, path)
  })

  it('gives nothing for another one, and for another kind of file', () => {
    for (const path of ['/k8s.io/abcd', '/k8s.io/abc/inner', undefined, 7])
      assert.equal(spec(path), undefined, String(path))
    assert.equal(spec('/k8s.io/abc', 'A=1'), undefined)
    for (const text of [undefined, '', '{', 'null', '7', '[]'])
      assert.equal(specEnvironment(text, 'abc'), undefined)
  })
})

describe('boundEnvironment()', () => {
  it('leaves out the largest until the rest fits, and says which', () => {
    const environment = { SMALL: 'a', HUGE: 'b'.repeat(1_000), LARGE: 'c'.repeat(100) }
    assert.deepEqual(boundEnvironment(environment, 200).dropped, ['HUGE'])
    assert.deepEqual(boundEnvironment(environment, 20), { kept: { SMALL: 'a' }, dropped: ['HUGE', 'LARGE'] })
    assert.deepEqual(boundEnvironment(environment, 5_000), { kept: environment, dropped: [] })
  })
})

describe('descendants()', () => {
  it('follows children of children, and nobody else', () => {
    const processes = [
      { pid: 1, parent: 0 },
      { pid: 5, parent: 1 },
      { pid: 4, parent: 5 },
      { pid: 9, parent: 4 },
      { pid: 6, parent: 1 },
    ]
    assert.deepEqual([...descendants(processes, 5)].sort(), [4, 5, 9])
    assert.deepEqual([...descendants(processes, 77)], [77])
  })
})

describe('topmost()', () => {
  const holder = (pid: number, parent: number, ...inodes: string[]) => ({
    pid,
    parent,
    inodes: new Set(inodes),
  })

  it('leaves out workers that hold what their parent holds', () => {
    const found = topmost([holder(10, 1, 'a'), holder(11, 10, 'a'), holder(12, 10, 'a'), holder(13, 11, 'a')])
    assert.deepEqual(
      found.map(({ pid }) => pid),
      [10],
    )
  })

  it('keeps a child that listens on its own', () => {
    const found = topmost([holder(10, 1, 'a'), holder(11, 10, 'a', 'b'), holder(12, 9, 'a')])
    assert.deepEqual(
      found.map(({ pid }) => pid),
      [10, 11, 12],
    )
  })
})

describe('decideEnter() and decideObstacle()', () => {
  const none = { sameNetwork: false, sameUser: true, ownsUser: false, admin: false, raw: false }
  const root = { ...none, admin: true, raw: true }

  it('lets root in as it is, whoever made the user namespace', () => {
    assert.deepEqual(decideEnter({ ...root, sameUser: false }, 7), [])
    assert.equal(decideObstacle({ ...root, sameUser: false }), undefined)
  })

  it('goes through the user namespace that the user made', () => {
    const rights = { ...none, sameUser: false, ownsUser: true }
    assert.deepEqual(decideEnter(rights, 7), [
      'nsenter',
      '--user',
      '--preserve-credentials',
      '--target',
      '7',
      '--',
    ])
    assert.equal(decideObstacle(rights), undefined)
  })

  it('says what an ordinary user lacks', () => {
    assert.deepEqual(decideEnter(none, 7), [])
    assert.match(String(decideObstacle(none)), /CAP_SYS_ADMIN/)
    assert.match(String(decideObstacle({ ...none, sameNetwork: true })), /CAP_NET_RAW/)
    assert.equal(decideObstacle({ ...none, sameNetwork: true, raw: true }), undefined)
  })
})

describe('decideNeeds()', () => {
  it('grants what was tried and worked', () => {
    assert.deepEqual(
      decideNeeds(7, {}).map(need => need.granted),
      [true, true, true],
    )
  })

  it('says how to get what is missing', () => {
    const [, network, packets] = decideNeeds(7, { network: 'EPERM', packets: 'EAFNOSUPPORT' })
    assert.match(String(network?.fix), /root.*CAP_SYS_ADMIN/)
    assert.equal(
      packets?.fix,
      'Use a kernel that has packet sockets (AF_PACKET, CONFIG_PACKET) of Linux 2.2 and packet rings (TPACKET_V3) of Linux 3.2: this one answered EAFNOSUPPORT',
    )
  })
})
