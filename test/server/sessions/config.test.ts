// A session's configuration: its file, comments, the request over it, and its faults.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { blankComments } from '../../../server/sessions/comments.ts'
import { type ClusterQuestion, loadConfig, targetOf, withConfig } from '../../../server/sessions/config.ts'

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

describe('loadConfig()', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'config-test-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  function write(name: string, text: string): string {
    const file = join(folder, name)
    mkdirSync(join(file, '..'), { recursive: true })
    writeFileSync(file, text)
    return file
  }
  const byDefault = (text: string) => write('.standin/standin.json', text)

  it('is empty when nothing is given', async () => {
    assert.deepEqual(await loadConfig({}), {})
    assert.deepEqual(await loadConfig({ folder, target: '' }), {})
  })

  it('reads .standin/standin.json of the working folder, comments and all, unless a file is named', async () => {
    byDefault('{ "target": "deployment/shop" /* the shop */, "kube_context": "staging" }')
    assert.deepEqual(await loadConfig({ folder }), {
      target: { path: 'deployment/shop' },
      kube_context: 'staging',
    })
    const configFile = write('other.json', '{"kube_context": "test"}')
    assert.deepEqual(await loadConfig({ folder, configFile }), { kube_context: 'test' })
  })

  it('lays the request over the file, key by key', async () => {
    byDefault(
      '{"target": {"path": "deployment/shop", "namespace": "shop"}, "agent": {"image": "a", "ttl": 3}, "feature": {"env": false}}',
    )
    const config = { target: { namespace: 'other' }, agent: { image: 'b' } }
    const loaded = await loadConfig({ folder, config })
    assert.deepEqual(loaded, {
      target: { path: 'deployment/shop', namespace: 'other' },
      agent: { image: 'b', ttl: 3 },
      feature: { env: false },
    })
  })

  it("takes the request's target before the configuration's, however each is written", async () => {
    byDefault('{"target": {"path": "deployment/shop", "namespace": "shop"}}')
    const byPath = await loadConfig({ folder, config: { target: 'pod/a' } })
    assert.deepEqual(byPath.target, { path: 'pod/a', namespace: 'shop' })
    const byName = await loadConfig({ folder, config: { target: 'pod/a' }, target: 'pod/b' })
    assert.deepEqual(byName.target, { path: 'pod/b', namespace: 'shop' })
  })

  it('finds a kubeconfig from the working folder and from home', async () => {
    const kubeconfig = async (path: string) =>
      (await loadConfig({ folder, config: { kubeconfig: path } })).kubeconfig
    assert.equal(await kubeconfig('kube/config'), join(folder, 'kube/config'))
    assert.equal(await kubeconfig('~/kube'), join(homedir(), 'kube'))
    assert.equal(await kubeconfig('/etc/kube'), '/etc/kube')
  })

  it('names a file that cannot be read, also the one that nobody named', async () => {
    await assert.rejects(loadConfig({ configFile: '/no/such/file' }), /"\/no\/such\/file": ENOENT/)
    await assert.rejects(loadConfig({ configFile: '/' }), /EISDIR/)
    byDefault('{')
    await assert.rejects(loadConfig({ folder }), /\.standin\/standin\.json": malformed JSON/)
  })

  it('suggests the key that was meant', async () => {
    byDefault('{"agent": {"imgae": "node:22"}}')
    await assert.rejects(
      loadConfig({ folder }),
      /standin\.json": agent\.imgae: unknown field \(did you mean "image"\?\)/,
    )
  })

  it('names the file whose keys contradict each other', async () => {
    byDefault('{"agent": {"ephemeral": true}}')
    await assert.rejects(
      loadConfig({ folder, config: { agent: { namespace: 'agents' } } }),
      /standin\.json": agent\.namespace: an ephemeral container has none/,
    )
  })

  it('is what a session without a target can have, whoever named it so, and refuses the rest', async () => {
    byDefault('{"target": {"path": "pod/a", "namespace": "shop"}}')
    const config = await loadConfig({ folder, target: 'targetless' })
    assert.deepEqual(config, {
      target: { path: 'targetless', namespace: 'shop' },
      feature: {
        network: { incoming: 'off', outgoing: { tcp: true, ignore_localhost: true } },
        hostname: false,
      },
    })
    byDefault('{"feature": {"network": {"incoming": {"port_mapping": [[3000, 80]]}}}}')
    const refused = /standin\.json": feature\.network\.incoming: nothing arrives at targetless/
    await assert.rejects(loadConfig({ folder, target: 'targetless' }), refused)
  })
})

describe('withConfig()', () => {
  it('fills what a request leaves open, and nothing else', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'config-test-'))
    try {
      mkdirSync(join(folder, '.standin'))
      const file = join(folder, '.standin', 'standin.json')
      writeFileSync(file, '{"kube_context": "staging", "target": {"path": "pod/a", "namespace": "shop"}}')
      const question = { folder, namespace: 'other', target: 'deployment/b' }
      assert.deepEqual(await withConfig(question), { ...question, kubeconfig: undefined, context: 'staging' })
      const asked: ClusterQuestion = { folder }
      assert.equal((await withConfig(asked)).namespace, 'shop')
      assert.deepEqual(await withConfig({ context: 'c' }), {
        kubeconfig: undefined,
        context: 'c',
        namespace: undefined,
      })
      await assert.rejects(withConfig({ namespace: 'No' }), /target\.namespace: "No" is no name/)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('targetOf()', () => {
  it('is the path of the target', () => assert.equal(targetOf({ target: { path: 'pod/a' } }), 'pod/a'))

  it('says where to name one when nobody did', () => {
    assert.throws(() => targetOf({ target: { namespace: 'shop' } }), /no target is named/)
  })
})
