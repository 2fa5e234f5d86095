// The client of a cluster against the real API server: whom it is taken for, what it is refused, and what kubectl says of the same kubeconfig.
import assert from 'node:assert/strict'
import { chmodSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { Failure } from '../../../protocol/errors.ts'
import { type Api, StatusError } from '../../../server/kubernetes/client/api.ts'
import { listContexts } from '../../../server/kubernetes/client/contexts.ts'
import { chooseAccess } from '../../../server/kubernetes/client/kubeconfig.ts'
import { listNamespaces } from '../../../server/kubernetes/client/namespaces.ts'
import { createAuthority } from '../../journeys/kubernetes/authority.ts'
import { connectProxy } from '../../journeys/kubernetes/proxy-stage.ts'
import { run } from '../run.ts'
import { ClientUsers, whoIs } from '../stage/client-users.ts'
import { apply, freshNamespace, kubectl, kubectlProgram } from '../stage/kubectl.ts'
import { userWith } from '../stage/users.ts'

const signal = () => AbortSignal.timeout(30_000)
const base64 = (text: string) => Buffer.from(text).toString('base64')

describe('the client of a real cluster', () => {
  let users: ClientUsers
  let namespace: Awaited<ReturnType<typeof freshNamespace>>
  before(async () => {
    users = await ClientUsers.make()
    namespace = await freshNamespace('client')
    await apply({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'ada', namespace: namespace.name },
    })
  })
  after(async () => {
    users?.end()
    await namespace?.remove()
  })
  const tokenOf = (account: string) =>
    kubectl(['-n', namespace.name, 'create', 'token', account, '--duration=10m'])
  const adaIs = () => `system:serviceaccount:${namespace.name}:ada`
  const pods = (api: Api, where = namespace.name) =>
    api.request<{ items: unknown[] }>({
      path: `/api/v1/namespaces/${where}/pods`,
      signal: signal(),
      asks: { verb: 'list', resource: 'pods', namespace: where },
    })

  describe('reads kubeconfigs as kubectl does:', () => {
    /** Three files that disagree, and one that is missing. */
    function files(): { KUBECONFIG: string; HOME: string } {
      const file = (name: string, config: object): string => {
        const path = join(users.folder, name)
        writeFileSync(path, JSON.stringify({ apiVersion: 'v1', kind: 'Config', ...config }))
        return path
      }
      const cluster = (name: string, server: string) => ({ name, cluster: { server } })
      const user = (name: string, token: string) => ({ name, user: { token } })
      const context = (name: string, of: string, more: object = {}) => ({
        name,
        context: { cluster: of, user: of, ...more },
      })
      const list = [
        file('one', {
          clusters: [cluster('a', 'https://a-one:1')],
          users: [user('a', 'token-one')],
          contexts: [context('first', 'a', { namespace: 'x' })],
        }),
        join(users.folder, 'missing'),
        file('two', {
          'current-context': 'second',
          clusters: [cluster('a', 'https://a-two:2'), cluster('b', 'https://b-two:2')],
          users: [user('a', 'token-two'), user('b', 'token-two')],
          contexts: [context('first', 'b', { namespace: 'y' }), context('second', 'b')],
        }),
        file('three', { 'current-context': 'first', contexts: [context('third', 'a')] }),
      ]
      return { KUBECONFIG: list.join(delimiter), HOME: users.folder }
    }

    it('the same contexts of a list of files', async () => {
      const env = files()
      const told = await run(kubectlProgram, ['config', 'view', '--raw', '-o', 'json'], { env })
      const view: {
        contexts: { name: string; context: { cluster: string; user: string; namespace?: string } }[]
      } & {
        clusters: { name: string; cluster: { server: string } }[]
        'current-context': string
      } = JSON.parse(told)
      const expected = view.contexts.map(({ name, context }) => ({
        name,
        ...context,
        current: name === view['current-context'],
        server: view.clusters.find(({ name: of }) => of === context.cluster)?.cluster.server,
      }))
      const { contexts, current, warnings } = listContexts(undefined, env)
      const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1)
      assert.deepEqual([...contexts].sort(byName), expected.sort(byName))
      assert.equal(current, view['current-context'])
      assert.deepEqual(warnings, [])
    })

    it('the same server, user and namespace of each context', async () => {
      const env = files()
      for (const context of ['first', 'second', 'third']) {
        const args = ['config', 'view', '--raw', '--minify', '--context', context, '-o', 'json']
        const view = JSON.parse(await run(kubectlProgram, args, { env }))
        const access = chooseAccess({ context }, env)
        assert.equal(access.cluster.server, view.clusters[0].cluster.server)
        assert.equal(access.user.token, view.users[0].user.token)
        assert.equal(access.namespace, view.contexts[0].context.namespace ?? 'default')
      }
    })

    it('the same refusals, of a context that is missing and of a file that is none', async () => {
      const env = files()
      await assert.rejects(
        run(kubectlProgram, ['get', 'ns', '--context', 'none'], { env }),
        /context was not found for specified context: none/,
      )
      assert.throws(
        () => chooseAccess({ context: 'none' }, env),
        /Cannot find context "none": the kubeconfig has first, second, third$/,
      )
      const broken = join(users.folder, 'broken')
      writeFileSync(broken, 'clusters: [\n')
      await assert.rejects(
        run(kubectlProgram, ['get', 'ns', '--kubeconfig', broken]),
        /error loading config file/,
      )
      assert.throws(
        () => chooseAccess({ kubeconfig: broken }, {}),
        /Cannot use kubeconfig ".*broken": line \d+: /,
      )
    })
  })

  it('lists the namespaces that kubectl lists, and marks its own', async () => {
    const api = await users.client({ namespace: namespace.name })
    const { namespaces, context } = await listNamespaces(api, signal())
    const told = await kubectl(['get', 'namespaces', '-o', 'jsonpath={.items[*].metadata.name}'])
    const known = new Set(namespaces.map(({ name }) => name))
    // Other tests make and remove theirs meanwhile.
    for (const name of ['default', 'kube-system', namespace.name])
      assert.ok(known.has(name) && told.split(' ').includes(name))
    assert.deepEqual(
      namespaces.filter(({ current }) => current),
      [{ name: namespace.name, phase: 'Active', current: true }],
    )
    assert.equal(context, 'test')
  })

  describe('is taken for', () => {
    it('the user of its client certificate', async () => {
      const { username } = await whoIs(await users.client())
      const kubectlSays = JSON.parse(await kubectl(['auth', 'whoami', '-o', 'json']))
      assert.equal(username, kubectlSays.status.userInfo.username)
    })

    it('the service account of its token, given, in a file, and from plugins of both versions', async () => {
      const token = await tokenOf('ada')
      assert.equal((await whoIs(await users.client({ user: { token } }))).username, adaIs())
      const file = join(users.folder, 'token')
      writeFileSync(file, `${token}\n`)
      assert.equal((await whoIs(await users.client({ user: { tokenFile: file } }))).username, adaIs())
      for (const version of ['v1', 'v1beta1']) {
        const command = join(users.folder, `login-${version}`)
        const apiVersion = `client.authentication.k8s.io/${version}`
        const answer = { kind: 'ExecCredential', apiVersion, status: { token } }
        writeFileSync(command, `#!/bin/sh\ncat <<'END'\n${JSON.stringify(answer)}\nEND\n`)
        chmodSync(command, 0o755)
        const user = { exec: { apiVersion, command: `./login-${version}`, interactiveMode: 'Never' } }
        assert.equal((await whoIs(await users.client({ user }))).username, adaIs())
      }
    })

    it('the user of the certificate that a plugin gives', async () => {
      const { administrator } = users
      const text = (field: string) => Buffer.from(String(administrator[field]), 'base64').toString()
      const apiVersion = 'client.authentication.k8s.io/v1'
      const status = {
        clientCertificateData: text('client-certificate-data'),
        clientKeyData: text('client-key-data'),
      }
      const answer = join(users.folder, 'certificate.json')
      writeFileSync(answer, JSON.stringify({ kind: 'ExecCredential', apiVersion, status }))
      const user = { exec: { apiVersion, command: 'cat', args: [answer], interactiveMode: 'Never' } }
      assert.deepEqual(await whoIs(await users.client({ user })), await whoIs(await users.client()))
    })

    it('whom it impersonates, with uid, groups and extra', async () => {
      const user = {
        ...users.administrator,
        as: 'bob',
        'as-uid': '42',
        'as-groups': ['dev', 'ops'],
        'as-user-extra': { 'example.com/project': ['shop', 'till'] },
      }
      const info = await whoIs(await users.client({ user }))
      assert.equal(info.username, 'bob')
      assert.equal(info.uid, '42')
      assert.deepEqual(
        info.groups?.filter(group => !group.startsWith('system:')),
        ['dev', 'ops'],
      )
      assert.deepEqual(info.extra, { 'example.com/project': ['shop', 'till'] })
    })
  })

  describe('is refused', () => {
    const failureOf = async (asking: Promise<unknown>): Promise<Failure> => {
      const error = await asking.then(
        () => assert.fail('it was answered'),
        thrown => thrown,
      )
      assert.ok(error instanceof Failure, String(error))
      return error
    }

    it('with a token that nobody issued, a login, or nothing at all', async () => {
      const says = async (user: object) => {
        const failure = await failureOf(pods(await users.client({ user })))
        assert.equal(failure.kind, 'cluster-unauthorized')
        const [before, reason] = failure.message.split(/(?<=as user "ada"): /)
        assert.equal(before, `Cannot log in to cluster "${users.server}" as user "ada"`)
        return reason
      }
      assert.equal(await says({ token: 'rubbish' }), '401, the credentials are not accepted')
      const unseen = '403, the cluster sees no credentials that it knows'
      assert.equal(await says({ username: 'ada', password: 'secret' }), unseen)
      assert.equal(await says({}), unseen)
    })

    it('with a client certificate of another authority, and is told when that has expired', async () => {
      const authority = createAuthority()
      try {
        const userOf = ({ cert, key }: { cert: string; key: string }) => ({
          'client-certificate-data': base64(cert),
          'client-key-data': base64(key),
        })
        const foreign = await failureOf(
          pods(await users.client({ user: userOf(authority.issue({ cn: 'ada' })) })),
        )
        assert.equal(foreign.kind, 'cluster-unauthorized')
        const old = authority.issue({ cn: 'ada', fromDay: -9, toDay: -2 })
        const expired = await failureOf(pods(await users.client({ user: userOf(old) })))
        assert.match(expired.message, /the client certificate of user "ada" expired at 20/)
        const cluster = { 'certificate-authority-data': base64(authority.ca) }
        assert.equal((await failureOf(pods(await users.client({ cluster })))).kind, 'cluster-untrusted')
      } finally {
        authority.remove()
      }
    })

    it('what its Role does not name, with verb, resource and namespace, in requests, watches and WebSockets', async () => {
      const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }]
      const user = await userWith({ namespace: namespace.name, rules })
      try {
        const { users: made } = JSON.parse(
          await kubectl(['config', 'view', '--raw', '-o', 'json'], { kubeconfig: user.kubeconfig }),
        )
        const api = await users.client({ user: made[0].user })
        assert.deepEqual((await pods(api)).items, [])
        assert.equal(
          (await failureOf(pods(api, 'kube-system'))).message,
          'Cannot list pods in namespace "kube-system": 403, the permission is missing',
        )
        const path = `/api/v1/namespaces/${namespace.name}/pods`
        const asks = { verb: 'list', resource: 'pods', namespace: namespace.name }
        const watching = (async () => {
          for await (const event of api.watch({ path, signal: signal(), asks })) assert.fail(event.type)
        })()
        assert.equal(
          (await failureOf(watching)).message,
          `Cannot watch pods in namespace "${namespace.name}": 403, the permission is missing`,
        )
        const dialling = api.dial({
          path: `${path}/none/portforward`,
          query: { ports: 80 },
          protocols: ['v4.channel.k8s.io'],
          signal: signal(),
          asks: { verb: 'get', resource: 'pods/portforward', namespace: namespace.name },
        })
        assert.match(
          (await failureOf(dialling)).message,
          /^Cannot (get|create) pods\/portforward in namespace "client-/,
        )
        assert.equal(
          (await failureOf(listNamespaces(api, signal()))).message,
          'Cannot list namespaces in the whole cluster: 403, the permission is missing',
        )
      } finally {
        await user.remove()
      }
    })

    it('what is not there, what exists already, and what makes no sense', async () => {
      const api = await users.client()
      const asks = { verb: 'create', resource: 'configmaps', namespace: namespace.name }
      const path = `/api/v1/namespaces/${namespace.name}/configmaps`
      const statusOf = (status: number, reason: string) => (error: unknown) =>
        error instanceof StatusError && error.status === status && error.reason === reason
      await assert.rejects(
        api.request({ path: `${path}/none`, signal: signal(), asks }),
        statusOf(404, 'NotFound'),
      )
      const create = (name: string) =>
        api.request({ method: 'POST', path, body: { metadata: { name } }, signal: signal(), asks })
      await create('once')
      await assert.rejects(create('once'), statusOf(409, 'AlreadyExists'))
      await assert.rejects(create('No Name!'), statusOf(422, 'Invalid'))
      const selecting = await failureOf(
        api.request({ path, query: { labelSelector: 'a in' }, signal: signal(), asks }),
      )
      assert.equal(selecting.values.status, 400)
      assert.match(selecting.message, /unable to parse requirement/)
      await assert.rejects(
        api.request({ path: '/apis/none.example/v1/things', signal: signal(), asks }),
        statusOf(404, 'NotFound'),
      )
    })
  })

  it('gives every object of a list once, page by page', async () => {
    const names = Array.from({ length: 45 }, (_, index) => `page-${String(index).padStart(2, '0')}`)
    await apply(
      ...names.map(name => ({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name, namespace: namespace.name, labels: { paged: 'yes' } },
      })),
    )
    const api = await users.client()
    const pages: string[][] = []
    const request = {
      path: `/api/v1/namespaces/${namespace.name}/configmaps`,
      query: { labelSelector: 'paged=yes' },
      pageSize: 20,
      signal: signal(),
      asks: { verb: 'list', resource: 'configmaps', namespace: namespace.name },
    }
    for await (const page of api.pages<{ metadata: { name: string } }>(request))
      pages.push(page.map(({ metadata }) => metadata.name))
    assert.deepEqual(
      pages.map(page => page.length),
      [20, 20, 5],
    )
    assert.deepEqual(pages.flat(), names)
  })

  it('reaches the API server through a proxy of the environment, and its name for itself through tls-server-name', async () => {
    const { hostname, port } = new URL(users.server)
    const proxy = connectProxy(Number(port), { host: hostname })
    await new Promise<void>(resolve => proxy.server.listen(0, '127.0.0.1', resolve))
    try {
      const { port: at } = proxy.server.address() as { port: number }
      const env = { HTTPS_PROXY: `http://127.0.0.1:${at}` }
      const direct = await whoIs(await users.client())
      assert.deepEqual(await whoIs(await users.client({}, env)), direct)
      assert.deepEqual(proxy.asked, [`CONNECT ${hostname}:${port}`])
      assert.deepEqual(await whoIs(await users.client({}, { ...env, NO_PROXY: `${hostname}/8` })), direct)
      assert.equal(proxy.asked.length, 1)
      const named = { 'tls-server-name': 'kubernetes.default.svc' }
      assert.deepEqual(await whoIs(await users.client({ cluster: named })), direct)
    } finally {
      for (const connection of proxy.connections) connection.destroy()
      await new Promise(resolve => proxy.server.close(resolve))
    }
  })
})
