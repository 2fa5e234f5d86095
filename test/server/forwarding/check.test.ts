// Which ends a forward may have.
import assert from 'node:assert/strict'
import type { LocalEnd, PodEnd } from '../../../protocol/rpc/port-ends.ts'
import { checkForward } from '../../../server/forwarding/check.ts'

const db = { host: 'db', port: 5432 }

describe('checkForward()', () => {
  const right: [LocalEnd | undefined, PodEnd][] = [
    [undefined, db],
    [{ port: 0 }, { host: '10.0.0.1', port: 1 }],
    [{ port: 65_535 }, { host: 'fd00::1', port: 1 }],
    [{ path: '/run/near.sock' }, { host: 'db_1.shop.svc.cluster.local.', port: 1 }],
    [{ path: `/${'x'.repeat(106)}` }, { path: `/${'x'.repeat(4_000)}` }],
    [undefined, { path: '@abstract' }],
  ]
  for (const [local, remote] of right)
    it(`takes ${JSON.stringify({ local, remote }).slice(0, 80)}`, () => checkForward({ local, remote }))

  const wrong: [LocalEnd | undefined, PodEnd, string][] = [
    [{ port: 65_536 }, db, 'local.port: expected at most 65535, got 65536'],
    [{ path: '@abstract' }, db, 'local.path: expected an absolute path, got "@abstract"'],
    [{ path: `/${'ü'.repeat(54)}` }, db, 'local.path: expected at most 107 bytes'],
    [{ path: '/a\0b' }, db, 'local.path: a NUL character cannot be part of it'],
    [undefined, { path: '@' }, 'remote.path: expected an absolute path, or @NAME, got "@"'],
    [undefined, { path: `@${'x'.repeat(107)}` }, 'remote.path: expected at most 107 bytes'],
    [undefined, { path: `/${'x'.repeat(4_095)}` }, 'remote.path: expected at most 4095 bytes'],
    [undefined, { host: '', port: 1 }, 'remote.host: expected a name or an IP address, got ""'],
    [
      undefined,
      { host: '[fd00::1]', port: 1 },
      'remote.host: expected a name or an IP address, got "[fd00::1]"',
    ],
    [
      undefined,
      { host: 'http://db', port: 1 },
      'remote.host: expected a name or an IP address, got "http://db"',
    ],
    [undefined, { host: 'x'.repeat(254), port: 1 }, 'remote.host: expected a name or an IP address'],
  ]
  for (const [local, remote, fault] of wrong)
    it(`refuses ${JSON.stringify({ local, remote }).slice(0, 80)}`, () => {
      assert.throws(
        () => checkForward({ local, remote }),
        ({ message }: Error) => message.startsWith(`Cannot use params of "forwardPort": ${fault}`),
      )
    })

  it('tells all that is wrong', () => {
    assert.throws(
      () => checkForward({ local: { path: 'x' }, remote: { path: 'y' } }),
      /local\.path: .*; remote\.path: /,
    )
  })
})
