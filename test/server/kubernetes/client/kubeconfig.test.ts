// Kubeconfigs: where they are looked for, how lists are merged, and how faulty ones are told of without their secrets.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { Failure } from '../../../../protocol/errors.ts'
import { listContexts } from '../../../../server/kubernetes/client/contexts.ts'
import { inClusterAccess, isInCluster } from '../../../../server/kubernetes/client/in-cluster.ts'
import {
  chooseAccess,
  hasCluster,
  kubeconfigPaths,
  loadKubeconfig,
} from '../../../../server/kubernetes/client/kubeconfig.ts'
import { parseKubeconfig } from '../../../../server/kubernetes/client/kubeconfig-file.ts'

/** A kubeconfig with one context, cluster and user of the same name. */
function config(name: string, more: { current?: boolean; server?: string; token?: string } = {}): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    ...(more.current ? { 'current-context': name } : {}),
    clusters: [{ name, cluster: { server: more.server ?? `https://${name}:6443` } }],
    users: [{ name, user: { token: more.token ?? `token-of-${name}` } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace: `${name}-space` } }],
  })
}

describe('a kubeconfig', () => {
  let folder = ''
  const file = (name: string, text: string): string => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return path
  }
  const reasonOf = (text: string): string => {
    try {
      parseKubeconfig(text, '/home/ada/config')
    } catch (error) {
      assert.ok(error instanceof Failure && error.kind === 'kubeconfig-invalid', String(error))
      return error.message
    }
    return assert.fail('it was taken')
  }
  const accessOf = (text: string, choice: { context?: string; namespace?: string } = {}) =>
    chooseAccess({ kubeconfig: file('config', text), ...choice }, {})

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'standin-kubeconfig-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('is looked for where kubectl looks: the option, KUBECONFIG, the home folder', () => {
    const env = { KUBECONFIG: ['/a', '', '/b', '/a'].join(delimiter), HOME: '/home/ada' }
    assert.deepEqual(kubeconfigPaths('/given', env), ['/given'])
    assert.deepEqual(kubeconfigPaths('~/given', env), ['/home/ada/given'])
    assert.deepEqual(kubeconfigPaths(undefined, env), ['/a', '/b'])
    assert.deepEqual(kubeconfigPaths(undefined, { HOME: '/home/ada', KUBECONFIG: '' }), [
      '/home/ada/.kube/config',
    ])
  })

  it('of a list is merged: the first file that has a name decides it, and missing files are left out', () => {
    const files = [
      file('one', config('a', { token: 'first' })),
      join(folder, 'missing'),
      file('two', config('b', { current: true })),
      file('three', config('a', { current: true, token: 'third' })),
    ]
    const env = { KUBECONFIG: files.join(delimiter) }
    assert.deepEqual([...(loadKubeconfig(undefined, env)?.contexts.keys() ?? [])], ['a', 'b'])
    assert.equal(chooseAccess({}, env).context, 'b')
    assert.equal(chooseAccess({ context: 'a' }, env).user.token, 'first')
  })

  it('gives the namespace of the context, "default" without one, and the one asked for before both', () => {
    assert.equal(accessOf(config('a', { current: true })).namespace, 'a-space')
    assert.equal(accessOf(config('a', { current: true }), { namespace: 'shop' }).namespace, 'shop')
    assert.equal(
      accessOf(config('a', { current: true }).replace(',"namespace":"a-space"', '')).namespace,
      'default',
    )
  })

  it('may be YAML, with a mark of byte order, several documents and doubled keys', () => {
    const yaml =
      '\uFEFFapiVersion: v1\nkind: Config\ncurrent-context: a\ncurrent-context: b\nclusters: null\n---\nother: 1\n'
    assert.equal(parseKubeconfig(yaml, 'config').currentContext, 'b')
    const lenient = 'clusters: [{name: a, cluster: {server: "https://a", insecure-skip-tls-verify: yes}}]'
    assert.equal(parseKubeconfig(lenient, 'config').clusters.get('a')?.['insecure-skip-tls-verify'], true)
  })

  it('may be empty, or hold what other tools keep in it', () => {
    assert.equal(parseKubeconfig('', 'config').contexts.size, 0)
    assert.equal(parseKubeconfig('preferences: {colors: true}\nx-tool: [1]\n', 'config').contexts.size, 0)
  })

  it('names its files relative to its own folder, and commands only if they hold a slash', () => {
    const user = (name: string, command: string) => ({
      name,
      user: { tokenFile: 'token', 'client-key': '/k', exec: { apiVersion: 'x', command } },
    })
    const text = JSON.stringify({
      clusters: [{ name: 'a', cluster: { 'certificate-authority': '../ca.crt' } }],
      users: [user('a', './bin/login'), user('b', 'aws')],
    })
    const { clusters, users } = parseKubeconfig(text, '/home/ada/.kube/config')
    assert.equal(clusters.get('a')?.['certificate-authority'], '/home/ada/ca.crt')
    assert.equal(users.get('a')?.tokenFile, '/home/ada/.kube/token')
    assert.equal(users.get('a')?.['client-key'], '/k')
    assert.equal(users.get('a')?.exec?.command, '/home/ada/.kube/bin/login')
    assert.equal(users.get('b')?.exec?.command, 'aws')
  })

  it('that is no mapping, or malformed, is refused with the place of the mistake', () => {
    assert.match(
      reasonOf('hello'),
      /^Cannot use kubeconfig "\/home\/ada\/config": it is not a mapping of apiVersion/,
    )
    assert.match(reasonOf('- 1'), /it is not a mapping/)
    assert.match(reasonOf('a: 1\nb: [1, 2\nc: 3\n'), /"\/home\/ada\/config": line [34]: /)
    assert.match(reasonOf('a: "\n'), /line \d+: /)
  })

  it('that is malformed is told of without its text, which may be a token', () => {
    try {
      parseKubeconfig('users: [{name: a, user: {token: "very-secret}}]', 'config')
    } catch (error) {
      const { message, data, cause } = error as Failure
      assert.ok(!JSON.stringify([message, data, String(cause)]).includes('very-secret'))
      return
    }
    assert.fail('it was taken')
  })

  it('with values of the wrong kind is refused with the path of each', () => {
    assert.match(reasonOf('clusters: {a: 1}'), /clusters: expected/)
    assert.match(
      reasonOf('users: [{name: a, user: {token: 42}}]'),
      /: users\.0\.user\.token: expected a text/,
    )
    assert.match(
      reasonOf('users: [{name: a, user: {exec: {args: x}}}]'),
      /: users\.0\.user\.exec\.args: expected/,
    )
    assert.match(reasonOf('contexts: [{context: 1}]'), /: contexts\.0\.context: expected/)
    assert.match(reasonOf('contexts: [a]'), /: contexts\.0: expected/)
  })

  it('that holds a name twice, or is another kind of object, is refused', () => {
    assert.match(reasonOf('users: [{name: a}, {name: a}]'), /users has "a" twice/)
    assert.match(reasonOf('kind: Deployment'), /its kind is "Deployment", not "Config"/)
    assert.match(reasonOf('apiVersion: v2'), /its apiVersion is "v2", not "v1"/)
  })

  it('that cannot be read is refused by its name: a folder, a missing file that was asked for', () => {
    const folderNamed = join(folder, 'folder')
    mkdirSync(folderNamed)
    assert.throws(() => chooseAccess({ kubeconfig: folderNamed }, {}), /folder": it is a folder/)
    assert.throws(() => chooseAccess({ kubeconfig: join(folder, 'none') }, {}), /none": no such file/)
  })

  it('that is nowhere is said with where it was looked for', () => {
    const env = { KUBECONFIG: join(folder, 'x') }
    assert.throws(
      () => chooseAccess({}, env),
      (error: Failure) => error.kind === 'kubeconfig-missing' && error.message.includes(join(folder, 'x')),
    )
    assert.equal(hasCluster({}, env), false)
    assert.equal(hasCluster({ context: 'a' }, env), true)
    assert.equal(hasCluster({}, { KUBECONFIG: file('c', config('a')) }), true)
    assert.equal(hasCluster({}, { KUBECONFIG: file('d', '{') }), true)
    assert.equal(hasCluster({}, { KUBECONFIG: file('e', '') }), false)
  })

  it('without the context that is asked for says which ones there are', () => {
    assert.throws(
      () => accessOf(config('a'), { context: 'z' }),
      /Cannot find context "z": the kubeconfig has a$/,
    )
    assert.throws(() => accessOf(config('a')), /current-context is not set; the kubeconfig has a$/)
    assert.throws(
      () => accessOf('current-context: z'),
      /Cannot find context "z": the kubeconfig has no context$/,
    )
  })

  it('whose context names what is missing says what', () => {
    const text = (context: object, server?: string) =>
      JSON.stringify({
        'current-context': 'a',
        contexts: [{ name: 'a', context }],
        clusters: [{ name: 'c', cluster: server === undefined ? {} : { server } }],
      })
    assert.throws(
      () => accessOf(text({ cluster: 'x' }, 'https://c')),
      /context "a" names the missing cluster "x"/,
    )
    assert.throws(
      () => accessOf(text({ cluster: 'c', user: 'u' }, 'https://c')),
      /names the missing user "u"/,
    )
    assert.throws(() => accessOf(text({ cluster: 'c' })), /cluster "c" has no server/)
  })

  it('lists its contexts, with warnings for what they miss', () => {
    const text = JSON.stringify({
      'current-context': 'gone',
      contexts: [
        { name: 'a', context: { cluster: 'c', user: 'u', namespace: 'shop' } },
        { name: 'b', context: { cluster: 'x' } },
      ],
      clusters: [{ name: 'c', cluster: { server: 'https://c' } }],
    })
    assert.deepEqual(listContexts(file('config', text), {}), {
      current: 'gone',
      contexts: [
        { name: 'a', cluster: 'c', current: false, server: 'https://c', user: 'u', namespace: 'shop' },
        { name: 'b', cluster: 'x', current: false },
      ],
      warnings: [
        'current-context names the missing context "gone"',
        'context "a" names the missing user "u"',
        'context "b" names the missing cluster "x"',
      ],
    })
  })
})

describe('a program in a pod', () => {
  it('is told its cluster by its service account, over IPv6 too', () => {
    const folder = mkdtempSync(join(tmpdir(), 'standin-account-'))
    const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' }
    try {
      assert.equal(isInCluster(env, folder), false)
      writeFileSync(join(folder, 'token'), 'abc\n')
      writeFileSync(join(folder, 'ca.crt'), 'pem')
      writeFileSync(join(folder, 'namespace'), 'shop\n')
      assert.equal(isInCluster(env, folder), true)
      assert.equal(isInCluster({}, folder), false)
      const access = inClusterAccess(env, undefined, folder)
      assert.equal(access.context, undefined)
      assert.equal(access.namespace, 'shop')
      assert.equal(access.cluster.server, 'https://[fd00::1]:443')
      assert.equal(access.cluster['certificate-authority'], join(folder, 'ca.crt'))
      assert.equal(access.user.tokenFile, join(folder, 'token'))
      assert.equal(inClusterAccess(env, 'other', folder).namespace, 'other')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
