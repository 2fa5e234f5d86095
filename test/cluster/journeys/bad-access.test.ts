// What keeps a user from a cluster: one sentence with its fix, exit code 125, and nothing made.
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type Authority, createAuthority } from '../../journeys/kubernetes/authority.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { startRawServer } from '../../stage/raw-server.ts'
import { until } from '../run.ts'
import { ClientUsers } from '../stage/client-users.ts'
import { freshNamespace, settledNamespace } from '../stage/kubectl.ts'
import { difference, objects } from '../stage/objects.ts'
import { assertRefusal, type Expected, type Refusal, refusalOf } from '../stage/refused.ts'
import { clusterEnvironment, configIn, StandinRuns } from '../stage/session-run.ts'
import { userWith } from '../stage/users.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

describe('a cluster that cannot be used', () => {
  const mark = markRun()
  const runs = new StandinRuns(clusterEnvironment(mark.environment))
  let users: ClientUsers
  let authority: Authority
  let namespace: string
  let remove: () => Promise<void>
  let before_: string[]
  before(async () => {
    users = await ClientUsers.make()
    authority = createAuthority()
    ;({ name: namespace, remove } = await freshNamespace('bad-access'))
    await settledNamespace(namespace)
    before_ = await objects({ namespaces: [namespace] })
  })
  after(async () => {
    users?.end()
    authority?.remove()
    try {
      const changed = difference(before_, await objects({ namespaces: [namespace] }))
      assert.deepEqual(changed, { left: [], taken: [] })
    } finally {
      await remove?.()
    }
  })
  afterEach(async () => {
    await runs.end()
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })

  const run = (args: string[], environment: NodeJS.ProcessEnv = {}) =>
    runs.exec({ namespace, target: 'deployment/shop' }, ['echo', 'ran'], {
      args: ['--output', 'json', ...args],
      environment,
    })
  const refused = (args: string[], environment?: NodeJS.ProcessEnv): Promise<Refusal> =>
    refusalOf(run(args, environment))
  const assertSays = (said: Refusal, expected: Expected) => assertRefusal(said, expected, namespace)

  describe('in the place:', () => {
    it('a context that the kubeconfig does not have', async () => {
      const file = users.file()
      assertSays(await refused(['--kubeconfig', file, '--context', 'tets']), {
        kind: 'context-not-found',
        message: 'Cannot find context "tets": the kubeconfig has test',
        fix: 'Take one of "kubectl config get-contexts -o name"',
      })
    })

    it('no kubeconfig at all, one that is named and not there, and one that is none', async () => {
      const home = join(users.folder, 'empty-home')
      mkdirSync(home, { recursive: true })
      const nothing = { KUBECONFIG: '', HOME: home }
      assertSays(await refused([], nothing), {
        kind: 'kubeconfig-missing',
        message: `Cannot find a cluster: no kubeconfig (looked for ${home}/.kube/config)`,
        fix: /^Give --kubeconfig FILE, set KUBECONFIG, or make ~\/\.kube\/config; /,
      })
      const broken = join(users.folder, 'broken')
      writeFileSync(broken, 'clusters: [\n')
      for (const file of ['/nonexistent/config', broken])
        assertSays(await refused(['--kubeconfig', file]), {
          kind: 'kubeconfig-invalid',
          message: new RegExp(`^Cannot use kubeconfig "${file}": `),
          fix: 'Correct it; "kubectl --kubeconfig FILE config view" reads it too',
        })
    })
  })

  describe('on the way to the API server:', () => {
    const through = (change: Parameters<ClientUsers['file']>[0]) =>
      refused(['--kubeconfig', users.file(change)])

    it('nothing listens', async () => {
      assertSays(await through({ cluster: { server: 'https://127.0.0.1:1' } }), {
        kind: 'cluster-refused',
        message: 'Cannot reach cluster "https://127.0.0.1:1": the connection was refused',
        fix: 'Check that the API server runs and that the address in the kubeconfig is right',
      })
    })

    it('its name has no address', async () => {
      assertSays(await through({ cluster: { server: 'https://no-such-cluster.invalid:6443' } }), {
        kind: 'cluster-name-unknown',
        message:
          'Cannot reach cluster "https://no-such-cluster.invalid:6443": no address is known for its name',
        fix: 'Check the name in the kubeconfig, and the VPN or DNS of this machine',
      })
    })

    it('its certificate is of another authority', async () => {
      const cluster = { 'certificate-authority-data': base64(authority.ca) }
      assertSays(await through({ cluster }), {
        kind: 'cluster-untrusted',
        message: new RegExp(
          `^Cannot trust cluster "${users.server}": its certificate is not signed by an authority that is trusted`,
        ),
        fix: 'Check certificate-authority and tls-server-name of the kubeconfig, and the clock of this machine',
      })
    })

    it('its certificate has expired', async () => {
      const old = authority.issue({ cn: 'x', names: ['IP:127.0.0.1'], fromDay: -9, toDay: -2 })
      const server = createServer(old).listen(0, '127.0.0.1')
      await new Promise(resolve => server.once('listening', resolve))
      try {
        const { port } = server.address() as AddressInfo
        const cluster = {
          server: `https://127.0.0.1:${port}`,
          'certificate-authority-data': base64(authority.ca),
        }
        assertSays(await through({ cluster }), {
          kind: 'cluster-certificate-expired',
          message: new RegExp(
            `^Cannot use certificate for cluster "https://127.0.0.1:${port}": the cluster's has expired, by this machine's clock`,
          ),
          fix: 'Get fresh credentials (log in to the cluster again), and check the clock of this machine',
        })
      } finally {
        server.closeAllConnections()
        await new Promise(resolve => server.close(resolve))
      }
    })

    it("the user's own certificate has expired", async () => {
      const { cert, key } = authority.issue({ cn: 'ada', fromDay: -9, toDay: -2 })
      const user = { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) }
      assertSays(await through({ user }), {
        kind: 'cluster-certificate-expired',
        message: new RegExp(
          `^Cannot use certificate for cluster "${users.server}": the client certificate of user "ada" expired at 20`,
        ),
        fix: /^Get fresh credentials/,
      })
    })

    it('401: a token that nobody issued', async () => {
      assertSays(await through({ user: { token: 'rubbish' } }), {
        kind: 'cluster-unauthorized',
        message: `Cannot log in to cluster "${users.server}" as user "ada": 401, the credentials are not accepted`,
        fix: 'Log in to the cluster again, or check the user of the context in the kubeconfig',
      })
    })

    it('403: a user without any right', async () => {
      const user = await userWith({ namespace, rules: [] })
      try {
        assertSays(await refused([], { KUBECONFIG: user.kubeconfig }), {
          kind: 'cluster-forbidden',
          message: 'Cannot get deployments.apps in namespace "NAMESPACE": 403, the permission is missing',
          fix: 'Ask for the Role of README "Permissions": verb "get" on "deployments.apps" in namespace "NAMESPACE"',
        })
      } finally {
        await user.remove()
      }
    })
  })

  describe('in the credential plugin:', () => {
    const apiVersion = 'client.authentication.k8s.io/v1'
    function kubeconfigWith(name: string, script: string): string {
      const command = join(users.folder, name)
      writeFileSync(command, `#!/bin/sh\n${script}\n`)
      chmodSync(command, 0o755)
      return users.file({ user: { exec: { apiVersion, command, interactiveMode: 'Never' } } })
    }
    const failed = (name: string, what: RegExp): Expected => ({
      kind: 'credentials-failed',
      message: new RegExp(
        `^Cannot get credentials of user "ada": its plugin "${join(users.folder, name)}" ${what.source}`,
      ),
      fix: /^Log in again; ".*" in a terminal shows what it wants$/,
    })

    it('it prints rubbish, or fails', async () => {
      const rubbish = kubeconfigWith('rubbish', 'echo "<html>please log in</html>"')
      const said = await refused(['--kubeconfig', rubbish])
      assertSays(said, failed('rubbish', /./))
      assert.doesNotMatch(said.message, /please log in/, 'what it printed may be secret')
      const failing = kubeconfigWith('failing', 'echo "token is stale" >&2; exit 9')
      assertSays(
        await refused(['--kubeconfig', failing]),
        failed('failing', /ended with exit code 9: token is stale$/),
      )
    })

    it('it hangs: Ctrl-C ends it and standin', async () => {
      const file = join(users.folder, 'hanging.pid')
      const hanging = kubeconfigWith('hanging', `echo $$ > ${file}; exec sleep 1000`)
      const waiting = run(['--kubeconfig', hanging])
      const pid = await pidIn(file)
      waiting.child.kill('SIGINT')
      assert.equal(await waiting.code, 130, waiting.stderr.all.join('\n'))
      assert.deepEqual(waiting.stdout.all, [])
      assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
    })

    it('it hangs: a request of JSON-RPC is cancelled, answered once, and ends it', async () => {
      const file = join(users.folder, 'hanging-rpc.pid')
      const kubeconfig = kubeconfigWith('hanging-rpc', `echo $$ > ${file}; exec sleep 1000`)
      const { child, client, ended } = startRawServer(['--stdio'], clusterEnvironment(mark.environment))
      await client.ask('initialize', {})
      client.send({
        id: 'start',
        method: 'startSession',
        params: { target: 'deployment/shop', config: { ...configIn(namespace), kubeconfig } },
      })
      const pid = await pidIn(file)
      client.send({ method: '$/cancelRequest', params: { id: 'start' } })
      const answer = await client.until('the answer', ({ id }) => id === 'start')
      assert.equal(answer.error?.code, -32800)
      await until('the end of the plugin', 5_000, async () => !isRunning(pid))
      await client.ask('listSessions', {})
      assert.ok(!client.received.some(({ id }) => id === 'start'), 'it was answered once')
      child.stdin?.end()
      await ended
    })
  })

  function pidIn(file: string): Promise<number> {
    return until('the plugin to run', 15_000, async () => {
      try {
        return Number(readFileSync(file, 'utf8')) || undefined
      } catch {
        return undefined
      }
    })
  }

  function isRunning(pid: number): boolean {
    try {
      process.kill(pid, 0)
      return true
    } catch {
      return false
    }
  }
}).timeout(60_000)
