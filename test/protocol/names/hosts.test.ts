// A hosts file, as C libraries read it.
import assert from 'node:assert/strict'
import { parseHosts } from '../../../protocol/names/hosts.ts'

const hosts = `127.0.0.1\tlocalhost
::1 localhost ip6-localhost
fd00::2 db # 10.9.9.9 db
  10.0.0.2 db.shop.test DB
10.0.0.3 db
10.0.0.3 db
nonsense db
# 10.0.0.4 db
10.0.0.5
`

describe('parseHosts()', () => {
  it('gives each address of a name once, in the order of the file, whatever the letters of the name are', () =>
    assert.deepEqual(
      [...parseHosts(hosts)],
      [
        ['localhost', ['127.0.0.1', '::1']],
        ['ip6-localhost', ['::1']],
        ['db', ['fd00::2', '10.0.0.2', '10.0.0.3']],
        ['db.shop.test', ['10.0.0.2']],
      ],
    ))

  it('gives nothing of an empty file', () => assert.equal(parseHosts('').size, 0))
})
