// How a destination is written on the command line.
import assert from 'node:assert/strict'
import { destinationOf } from '../../../clients/cli/explain.ts'

describe('destinationOf()', () => {
  it('reads a name, an address and a protocol', () => {
    assert.deepEqual(destinationOf('db.shop:5432'), { host: 'db.shop', port: 5432, protocol: 'tcp' })
    assert.deepEqual(destinationOf('[2001:db8::1]:443'), { host: '2001:db8::1', port: 443, protocol: 'tcp' })
    assert.deepEqual(destinationOf('udp://10.0.0.1:53'), { host: '10.0.0.1', port: 53, protocol: 'udp' })
  })

  it('reads a Unix socket', () => {
    assert.deepEqual(destinationOf('/run/a.sock'), { host: '/run/a.sock' })
    assert.deepEqual(destinationOf('@a'), { host: '@a' })
  })

  it('refuses what names no host or no port, and says how to write it', () => {
    for (const text of [
      '',
      'db',
      ':80',
      'db:',
      'db:0',
      'db:65536',
      'db:http',
      '::1:80',
      '[::1]',
      'ftp://db:21',
    ])
      assert.throws(
        () => destinationOf(text),
        { kind: 'usage-wrong', message: /is no destination; write HOST:PORT/ },
        text,
      )
  })
})
