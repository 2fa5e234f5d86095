// What words of standin forward mean, how they are told, and how those are refused that mean nothing.
import assert from 'node:assert/strict'
import { forwardText } from '../../../clients/cli/forward.ts'
import { type ForwardSpec, forwardSpec, refuseTwice, reverseSpec } from '../../../clients/cli/forward-spec.ts'
import { Failure } from '../../../protocol/errors.ts'

const specOf = (word: string) => forwardSpec(word, '/home/me')
function refuses(what: () => unknown, reason: string): void {
  assert.throws(what, thrown => {
    assert.ok(thrown instanceof Failure)
    assert.equal(thrown.message, `Cannot run this command line: ${reason}`)
    assert.equal(thrown.data.fix, 'See "standin help forward"')
    return true
  })
}

describe('forwardSpec()', () => {
  const localhost = (port: number) => ({ host: 'localhost', port })
  const cases: Record<string, ForwardSpec> = {
    '5432:postgres:5432': { local: { port: 5432 }, remote: { host: 'postgres', port: 5432 } },
    '0:postgres.shop.svc:5432': { local: { port: 0 }, remote: { host: 'postgres.shop.svc', port: 5432 } },
    ':10.0.0.1:80': { local: { port: 0 }, remote: { host: '10.0.0.1', port: 80 } },
    '8443:[fd00::1]:443': { local: { port: 8443 }, remote: { host: 'fd00::1', port: 443 } },
    '8080': { local: { port: 8080 }, remote: localhost(8080) },
    '8080:80': { local: { port: 8080 }, remote: localhost(80) },
    ':80': { local: { port: 0 }, remote: localhost(80) },
    '5432:/run/x.sock': { local: { port: 5432 }, remote: { path: '/run/x.sock' } },
    '5432:/run/a:b.sock': { local: { port: 5432 }, remote: { path: '/run/a:b.sock' } },
    '5432:@x': { local: { port: 5432 }, remote: { path: '@x' } },
    '/tmp/n.sock:db:1': { local: { path: '/tmp/n.sock' }, remote: { host: 'db', port: 1 } },
    './n.sock:/run/x.sock': { local: { path: '/home/me/n.sock' }, remote: { path: '/run/x.sock' } },
    '../n.sock:80': { local: { path: '/home/n.sock' }, remote: localhost(80) },
  }
  for (const [word, spec] of Object.entries(cases))
    it(`reads ${word}`, () => assert.deepEqual(specOf(word), spec))

  const write = 'write LOCAL:HOST:PORT, as in 5432:postgres:5432'
  const end = 'does not end with HOST:PORT, PORT or the path of a Unix socket, as in 5432:postgres:5432'
  const ports = 'for a port; ports go from 1 to 65535'
  const wrong: Record<string, string> = {
    '': `"" is not understood; ${write}`,
    postgres: `"postgres" is not understood; ${write}`,
    'postgres:5432': `"postgres:5432" is not understood; ${write}`,
    '5432:': `"5432:" is not understood; ${write}`,
    '5432:postgres': `"5432:postgres" ${end}`,
    '1:2:3:4': `"1:2:3:4" ${end}`,
    '5432:run/x.sock': `"5432:run/x.sock" ${end}`,
    '443:fd00::1:443':
      '"443:fd00::1:443" has an IPv6 address; write it in brackets, as in 8443:[fd00::1]:443',
    '443:[db]:443': '"443:[db]:443" has no IPv6 address in its brackets',
    '70000': `"70000" has "70000" ${ports}`,
    '70000:db:1': `"70000:db:1" has "70000" ${ports}`,
    '80:db:0': `"80:db:0" has "0" ${ports}`,
    '80:we b:1': '"80:we b:1" has no usable host: expected a name or an IP address, got "we b"',
    '80:web/x:1': '"80:web/x:1" has no usable host: expected a name or an IP address, got "web/x"',
    '80:@': '"80:@" has no usable socket of the target: expected an absolute path, or @NAME, got "@"',
    [`/${'x'.repeat(107)}:80`]: `"/${'x'.repeat(107)}:80" has no usable path of a local socket: expected at most 107 bytes`,
    '80:0': `"80:0" has "0" ${ports}`,
  }
  for (const [word, reason] of Object.entries(wrong))
    it(`refuses "${word}"`, () => refuses(() => specOf(word), reason))
})

describe('reverseSpec()', () => {
  it('reads PORT:LOCAL, and PORT for both', () => {
    assert.deepEqual(reverseSpec('8080:3000'), { podPort: 8080, localPort: 3000 })
    assert.deepEqual(reverseSpec('8080'), { podPort: 8080, localPort: 8080 })
  })

  it('refuses all else', () => {
    refuses(() => reverseSpec('1:2:3'), '--reverse takes PORT:LOCAL, as in 8080:3000, not "1:2:3"')
    refuses(() => reverseSpec('web:3000'), '"web:3000" has "web" for a port; ports go from 1 to 65535')
    refuses(() => reverseSpec('8080:'), '"8080:" has "" for a port; ports go from 1 to 65535')
  })
})

describe('refuseTwice()', () => {
  const forwards = (...words: string[]) => words.map(specOf)
  it('takes free ports as often as they are asked for, and different places', () => {
    refuseTwice(forwards(':80', '0:81', '5432:db:5432', './a:80', './b:80'), [
      reverseSpec('1:2'),
      reverseSpec('2'),
    ])
  })

  it('refuses a local port, a path, and a port of the target that are named twice', () => {
    refuses(
      () => refuseTwice(forwards('80:db:1', '80:web:2'), []),
      'local port 80 is named twice; take another',
    )
    refuses(
      () => refuseTwice(forwards('./a:1', '/home/me/a:2'), []),
      '"/home/me/a" is named twice; take another',
    )
    refuses(
      () => refuseTwice([], [reverseSpec('80:1'), reverseSpec('80:2')]),
      '--reverse names port 80 of the target twice; it is mirrored to one port',
    )
  })
})

describe('forwardText()', () => {
  it('says it as kubectl does, and shows no control character', () => {
    const local = { address: '127.0.0.1', port: 8080 }
    const told = (remote: ForwardSpec['remote']) =>
      forwardText({ event: 'forwarding', portId: 's1-f1', local, remote })
    assert.equal(told({ host: 'localhost', port: 80 }), 'Forwarding from 127.0.0.1:8080 -> 80')
    assert.equal(told({ host: 'fd00::1', port: 80 }), 'Forwarding from 127.0.0.1:8080 -> [fd00::1]:80')
    assert.ok(!told({ path: '/run/\x1b[2J' }).includes('\x1b'))
    assert.equal(
      forwardText({ event: 'mirroring', portId: 's1-r1', podPort: 80, localPort: 3000 }),
      'Mirroring port 80 of the target -> 127.0.0.1:3000',
    )
  })
})
