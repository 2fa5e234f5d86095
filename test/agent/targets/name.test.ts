// What a user may call a target, as parseTargetName reads it.
import assert from 'node:assert/strict'
import { parseTargetName } from '../../../agent/targets/name.ts'

function reasonOf(text: string): unknown {
  try {
    parseTargetName(text)
  } catch (error) {
    return (error as { kind: string; values: { reason: string } }).values.reason
  }
  return undefined
}

describe('parseTargetName()', () => {
  it('reads a process and a container', () => {
    assert.deepEqual(parseTargetName('process/4711'), { kind: 'process', text: 'process/4711', pid: 4711 })
    const name = 'shop_web-1.b'
    assert.deepEqual(parseTargetName(`container/${name}`), {
      kind: 'container',
      text: `container/${name}`,
      name,
    })
  })

  it('says what is wrong with anything else', () => {
    assert.equal(reasonOf('shop'), 'it has no "/"')
    assert.equal(reasonOf('pod/shop'), '"pod" is not a kind of target on this machine')
    for (const pid of ['', '0', '-1', '1.5', '0x10', '1e3', 'node'])
      assert.equal(reasonOf(`process/${pid}`), `"${pid}" is not a pid`)
  })

  it('takes no name that could be an option, a path or a command of a shell', () => {
    for (const name of ['', '--help', '-f', '../x', 'a/b', 'a b', 'a;b', '$(a)'])
      assert.equal(reasonOf(`container/${name}`), `"${name}" is not a name of a container`)
  })
})
