import assert from 'node:assert/strict'
import fc from 'fast-check'
import { blankComments } from '../../../server/sessions/comments.ts'
import { checkConfig, loadConfig } from '../../../server/sessions/config.ts'

describe('blankComments()', () => {
  it('blanks comments of both kinds and keeps every position', () => {
    const text = '{ // one\n "a": /* two\n lines */ 1 }'
    const blank = blankComments(text)
    assert.deepEqual(JSON.parse(blank), { a: 1 })
    assert.equal(blank.length, text.length)
    assert.equal(blank.indexOf('1 }'), text.indexOf('1 }'))
  })

  it('leaves strings alone, whatever they hold', () => {
    fc.assert(
      fc.property(fc.json(), text => {
        assert.deepEqual(JSON.parse(blankComments(text)), JSON.parse(text))
      }),
    )
    assert.deepEqual(JSON.parse(blankComments('{"u": "http://x/*y*/\\"//"} // end')), {
      u: 'http://x/*y*/"//',
    })
  })
})

describe('checkConfig()', () => {
  it('refuses include together with exclude', () => {
    const config = { feature: { env: { include: 'A', exclude: 'B' } } }
    assert.throws(
      () => checkConfig(config, 'f.json'),
      /"f.json": feature.env: include and exclude exclude each other/,
    )
  })

  it('refuses a port that is mapped twice', () => {
    const mapped = (port_mapping: [number, number][]) => ({
      feature: { network: { incoming: { port_mapping } } },
    })
    assert.throws(
      () =>
        checkConfig(
          mapped([
            [1, 80],
            [2, 80],
          ]),
          'f',
        ),
      /pod port 80 twice/,
    )
    assert.throws(
      () =>
        checkConfig(
          mapped([
            [1, 80],
            [1, 81],
          ]),
          'f',
        ),
      /process port 1 twice/,
    )
    checkConfig(
      mapped([
        [1, 80],
        [80, 1],
      ]),
      'f',
    )
  })
})

describe('loadConfig()', () => {
  it('is empty when nothing is given', async () => assert.deepEqual(await loadConfig({}), {}))

  it('names a file that cannot be read', async () => {
    await assert.rejects(loadConfig({ configFile: '/no/such/file' }), /"\/no\/such\/file": ENOENT/)
    await assert.rejects(loadConfig({ configFile: '/' }), /EISDIR/)
  })
})
