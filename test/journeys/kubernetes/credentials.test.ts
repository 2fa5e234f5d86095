// How a client of a cluster comes by its credentials: files that are replaced, and plugins that answer, expire, fail and hang.
import assert from 'node:assert/strict'
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { TLSSocket } from 'node:tls'
import { Failure } from '../../../protocol/errors.ts'
import { createExecPlugin } from '../../../server/kubernetes/client/exec-plugin.ts'
import { openLog } from '../../../server/log.ts'
import { ApiStage, answerJson, answerStatus, ask, base64 } from './api-stage.ts'

const v1 = 'client.authentication.k8s.io/v1'

describe('credentials', () => {
  let stage: ApiStage
  /** What the server accepts, and how often it was asked with each. */
  let accepted = ''
  let asked: string[] = []
  let port = 0
  before(() => {
    stage = new ApiStage()
  })
  after(() => stage.authority.remove())
  beforeEach(async () => {
    asked = []
    port = await stage.serve(
      (request, response) => {
        const who = whoIs(request)
        asked.push(who)
        if (who === accepted) answerJson(response, 200, { who })
        else answerStatus(response, 401, { message: 'Unauthorized' })
      },
      { requestCert: true, rejectUnauthorized: false, ca: stage.authority.ca },
    )
  })
  afterEach(() => stage.clear())

  /** A program in a file of its own; `$CALLS` counts its runs. */
  function plugin(name: string, script: string): { command: string; runs(): number } {
    const command = join(stage.authority.folder, `${name}-${Math.random().toString(36).slice(2)}`)
    const calls = `${command}.calls`
    writeFileSync(command, `#!/bin/sh\necho run >> ${calls}\n${script}\n`)
    chmodSync(command, 0o755)
    return {
      command,
      runs: () => (existsSync(calls) ? readFileSync(calls, 'utf8').split('\n').length - 1 : 0),
    }
  }
  const printing = (status: object, apiVersion = v1) =>
    `cat <<'END'\n${JSON.stringify({ kind: 'ExecCredential', apiVersion, status })}\nEND`
  const userOf = (command: string, more: object = {}) => ({
    exec: { apiVersion: v1, command, interactiveMode: 'IfAvailable', ...more },
  })
  const failureOf = (promise: Promise<unknown>): Promise<Failure> =>
    promise.then(
      () => assert.fail('it was answered'),
      error => {
        assert.ok(error instanceof Failure, String(error))
        return error
      },
    )

  it('of a token, a login, and a certificate in files reach the cluster', async () => {
    const { cert, key } = stage.authority.issue({ cn: 'ada' })
    const at = (name: string, text: string) => {
      writeFileSync(join(stage.authority.folder, name), text)
      return name
    }
    accepted = 'Bearer abc'
    await ask(await stage.client(port))
    accepted = `Basic ${base64('ada:pass:word')}`
    await ask(await stage.client(port, { user: { username: 'ada', password: 'pass:word' } }))
    accepted = 'certificate of ada'
    const user = { 'client-certificate': at('ada.crt', cert), 'client-key': at('ada.key', key) }
    await ask(await stage.client(port, { user }))
  })

  it('of an impersonated user go with those of the own one', async () => {
    accepted = 'Bearer abc as bob of dev,ops'
    await ask(await stage.client(port, { user: { token: 'abc', as: 'bob', 'as-groups': ['dev', 'ops'] } }))
  })

  it('that the cluster does not accept end with 401, its server and its user', async () => {
    accepted = 'nobody'
    const failure = await failureOf(ask(await stage.client(port)))
    assert.equal(failure.kind, 'cluster-unauthorized')
    assert.match(failure.message, /^Cannot log in to cluster "https:\/\/127\.0\.0\.1:\d+" as user "ada": 401/)
    assert.equal(asked.length, 1)
  })

  it('of a token file are read again when it is replaced, at the latest when they are refused', async () => {
    const file = join(stage.authority.folder, 'token')
    writeFileSync(file, 'one\n')
    accepted = 'Bearer one'
    const api = await stage.client(port, { user: { tokenFile: file } })
    await ask(api)
    writeFileSync(`${file}.next`, 'two\n')
    renameSync(`${file}.next`, file)
    accepted = 'Bearer two'
    await ask(api)
    assert.deepEqual(asked, ['Bearer one', 'Bearer one', 'Bearer two'])
  })

  it('of certificate files are read again when they are refused', async () => {
    const [first, second] = ['ada', 'eve'].map(cn => stage.authority.issue({ cn }))
    const [cert, key] = ['rotated.crt', 'rotated.key'].map(name => join(stage.authority.folder, name))
    const write = (pair = first!) => {
      writeFileSync(cert!, pair.cert)
      writeFileSync(key!, pair.key)
    }
    write(first)
    accepted = 'certificate of ada'
    const api = await stage.client(port, { user: { 'client-certificate': cert, 'client-key': key } })
    await ask(api)
    write(second)
    accepted = 'certificate of eve'
    await ask(api)
    assert.deepEqual(asked, ['certificate of ada', 'certificate of ada', 'certificate of eve'])
  })

  it('of a token file that is gone or empty are told so', async () => {
    const gone = await stage.client(port, { user: { tokenFile: '/nowhere/token' } })
    assert.match(
      (await failureOf(ask(gone))).message,
      /user "ada": its token file "\/nowhere\/token" cannot be read \(ENOENT\)$/,
    )
    const file = join(stage.authority.folder, 'empty')
    writeFileSync(file, '\n')
    assert.match(
      (await failureOf(ask(await stage.client(port, { user: { tokenFile: file } })))).message,
      /is empty$/,
    )
  })

  describe('of a plugin', () => {
    it('are asked for once, whoever waits for them', async () => {
      const { command, runs } = plugin('once', printing({ token: 'abc' }))
      accepted = 'Bearer abc'
      const api = await stage.client(port, { user: userOf(command) })
      await Promise.all([ask(api), ask(api), ask(api)])
      await ask(api)
      assert.equal(runs(), 1)
    })

    it('of v1beta1 are taken as well, without an interactiveMode', async () => {
      const version = 'client.authentication.k8s.io/v1beta1'
      const { command } = plugin('beta', printing({ token: 'abc' }, version))
      accepted = 'Bearer abc'
      const user = userOf(command, { apiVersion: version, interactiveMode: undefined })
      await ask(await stage.client(port, { user }))
    })

    it('are asked for again when the time that they state is over', async () => {
      const soon = new Date(Date.now() + 1_500).toISOString()
      const { command, runs } = plugin('expiring', printing({ token: 'abc', expirationTimestamp: soon }))
      accepted = 'Bearer abc'
      const api = await stage.client(port, { user: userOf(command) })
      await ask(api)
      await ask(api)
      assert.equal(runs(), 1)
      await delay(Math.max(0, Date.parse(soon) - Date.now())) // until the token expires
      await ask(api)
      assert.equal(runs(), 2)
    })

    it('are asked for once more when they are refused, by all who were refused together', async () => {
      const file = join(stage.authority.folder, 'refused-token')
      writeFileSync(file, 'old')
      const { command, runs } = plugin(
        'refused',
        `printf '{"kind":"ExecCredential","apiVersion":"${v1}","status":{"token":"%s"}}' $(cat ${file})`,
      )
      accepted = 'Bearer old'
      const api = await stage.client(port, { user: userOf(command) })
      await ask(api)
      writeFileSync(file, 'fresh')
      accepted = 'Bearer fresh'
      await Promise.all([ask(api), ask(api), ask(api)])
      assert.equal(runs(), 2)
    })

    it('that stay refused do not run it at each request', async () => {
      const { command, runs } = plugin('hopeless', printing({ token: 'abc' }))
      accepted = 'nobody'
      const api = await stage.client(port, { user: userOf(command) })
      for (let i = 0; i < 3; i += 1) assert.equal((await failureOf(ask(api))).kind, 'cluster-unauthorized')
      assert.equal(runs(), 2)
    })

    it('may be a certificate, which replaces the one that is refused', async () => {
      const [first, second] = ['ada', 'eve'].map(cn => stage.authority.issue({ cn }))
      const status = ({ cert, key } = first!) => ({ clientCertificateData: cert, clientKeyData: key })
      const file = join(stage.authority.folder, 'certificate-answer')
      const write = (pair = first!) =>
        writeFileSync(file, JSON.stringify({ kind: 'ExecCredential', apiVersion: v1, status: status(pair) }))
      write(first)
      const { command, runs } = plugin('certificate', `cat ${file}`)
      accepted = 'certificate of ada'
      const api = await stage.client(port, { user: userOf(command) })
      await ask(api)
      write(second)
      accepted = 'certificate of eve'
      await ask(api)
      assert.equal(runs(), 2)
    })

    it('are asked for with its arguments and environment, without a terminal, and with the cluster if it wants', async () => {
      const out = join(stage.authority.folder, 'seen')
      const { command } = plugin(
        'curious',
        `{ echo "$@"; echo "$COLOR"; echo "\${STANDIN_TOKEN-none}"; echo "$KUBERNETES_EXEC_INFO"; readlink /proc/self/fd/0; } > ${out}\n${printing({ token: 'abc' })}`,
      )
      accepted = 'Bearer abc'
      const more = {
        args: ['get', 'token'],
        env: [{ name: 'COLOR', value: 'red' }],
        provideClusterInfo: true,
      }
      const env = { PATH: process.env.PATH, COLOR: 'blue', STANDIN_TOKEN: 'secret' }
      await ask(await stage.client(port, { user: userOf(command, more), env }))
      const [args, color, token, info = '', stdin] = readFileSync(out, 'utf8').split('\n')
      assert.deepEqual([args, color, token, stdin], ['get token', 'red', 'none', '/dev/null'])
      assert.deepEqual(JSON.parse(info), {
        kind: 'ExecCredential',
        apiVersion: v1,
        spec: {
          cluster: {
            server: `https://127.0.0.1:${port}`,
            'certificate-authority-data': base64(stage.authority.ca),
          },
          interactive: false,
        },
      })
    })

    it('that is not there tells how to install it', async () => {
      const user = userOf('no-such-plugin', { installHint: 'Get it from\n  example.com.\n' })
      const failure = await failureOf(ask(await stage.client(port, { user })))
      assert.equal(
        failure.message,
        'Cannot get credentials of user "ada": its plugin "no-such-plugin" is not there',
      )
      assert.equal(failure.data.fix, 'Get it from example.com')
    })

    it('that may not be run, or ends with an error, tells why, with its last words', async () => {
      const { command } = plugin('locked', '')
      chmodSync(command, 0o644)
      assert.match(
        (await failureOf(ask(await stage.client(port, { user: userOf(command) })))).message,
        /may not be run \(EACCES\)$/,
      )
      const { command: angry } = plugin(
        'angry',
        'echo "token=secret"\necho "session expired" >&2\necho "log in" >&2\nexit 7',
      )
      const failure = await failureOf(
        ask(await stage.client(port, { user: userOf(angry, { args: ['--now'] }) })),
      )
      assert.match(failure.message, /ended with exit code 7: session expired \/ log in$/)
      assert.match(failure.data.fix, /^Log in again; ".*angry-\w+ --now" in a terminal shows what it wants$/)
      assert.ok(!JSON.stringify(failure.data).includes('secret'))
    })

    it('that prints rubbish, or without an end, is refused', async () => {
      const { command } = plugin('rubbish', 'echo "Opening your browser..."')
      assert.match(
        (await failureOf(ask(await stage.client(port, { user: userOf(command) })))).message,
        /printed 24 bytes that are no ExecCredential/,
      )
      const { command: endless } = plugin('endless', 'exec yes')
      assert.match(
        (await failureOf(ask(await stage.client(port, { user: userOf(endless) })))).message,
        /printed more than 1 MiB$/,
      )
    })

    it('that waits for its user shows what it says while it runs, and a step for as long as it is asked', async () => {
      accepted = 'Bearer abc'
      const told: string[] = []
      const steps: string[] = []
      const go = join(stage.authority.folder, `go-${Math.random()}`)
      const say = 'echo "Open https://login.test and type CODE" >&2; printf "waiting: " >&2'
      const wait = `until [ -e ${go} ]; do sleep 0.05; done`
      const { command } = plugin('device', `${say}; ${wait}; ${printing({ token: 'abc' })}`)
      const api = await stage.client(port, {
        user: userOf(command),
        tell: (level, text) => {
          told.push(`${level}: ${text}`)
          // What has no end of a line comes last, and only then does its user log in.
          if (text.endsWith('waiting:')) setTimeout(() => writeFileSync(go, ''), 600)
        },
        onStep: (step, message) => steps.push(`${step}: ${message}`),
      })
      // The time for the cluster's answer is shorter than the login.
      await ask(api, { timeoutMs: 700 })
      assert.deepEqual(told, [
        'info: credential plugin of user "ada": Open https://login.test and type CODE',
        'info: credential plugin of user "ada": waiting:',
      ])
      assert.equal(steps[0], `login: asking plugin "${command}" of user "ada"`)
    })

    it('that hangs is ended with all it started', async () => {
      const pids = join(stage.authority.folder, 'hanging')
      const { command } = plugin('hanging', `sleep 300 & echo $! > ${pids}\necho $$ >> ${pids}\nwait`)
      const made = createExecPlugin({
        user: 'ada',
        file: 'config',
        entry: userOf(command).exec,
        cluster: { server: 'https://x' },
        env: { PATH: process.env.PATH },
        log: openLog({ level: 'error' }),
        timeoutMs: 1_000,
      })
      const failure = await failureOf(made.get(AbortSignal.timeout(20_000)))
      assert.match(failure.message, /did not answer within 1 s$/)
      await gone(pids)
    })

    it('is ended when nobody waits for it any more, and when the client is closed', async () => {
      for (const end of ['abort', 'close'] as const) {
        const pids = join(stage.authority.folder, `waiting-${end}`)
        const { command } = plugin(
          'waiting',
          `sleep 300 & echo $! > ${pids}.part\necho $$ >> ${pids}.part\nmv ${pids}.part ${pids}\nwait`,
        )
        const api = await stage.client(port, { user: userOf(command) })
        const controller = new AbortController()
        const asking = ask(api, { signal: controller.signal })
        await until('the plugin runs', () => existsSync(pids))
        if (end === 'abort') controller.abort(new Error('no longer wanted'))
        else api.close()
        await assert.rejects(asking, end === 'abort' ? /no longer wanted/ : /Cancelled|Cannot finish/i)
        await gone(pids)
      }
    })

    it('may leave a process behind, as for a browser, without being waited for', async () => {
      const { command } = plugin('leaving', `sleep 2 &\n${printing({ token: 'abc' })}`)
      accepted = 'Bearer abc'
      const startedMs = performance.now()
      await ask(await stage.client(port, { user: userOf(command) }))
      assert.ok(performance.now() - startedMs < 1_900)
    })
  })

  function whoIs(request: IncomingMessage): string {
    const { authorization, ...headers } = request.headers
    const { subject } = (request.socket as TLSSocket).getPeerCertificate()
    const own = authorization ?? (subject === undefined ? 'nobody' : `certificate of ${subject.CN}`)
    const as = headers['impersonate-user']
    return as === undefined
      ? own
      : `${own} as ${as} of ${String(headers['impersonate-group']).replaceAll(' ', '')}`
  }

  /** Waits until the processes of a file of pids are gone, or only wait to be reaped. */
  async function gone(file: string): Promise<void> {
    const pids = readFileSync(file, 'utf8').trim().split('\n')
    assert.equal(pids.length, 2)
    const lives = (pid: string) => {
      try {
        return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
      } catch {
        return false
      }
    }
    await until(`processes ${pids.join(' and ')} are gone`, () => !pids.some(lives))
  }

  async function until(what: string, holds: () => boolean): Promise<void> {
    const deadlineMs = performance.now() + 10_000
    while (!holds()) {
      if (performance.now() > deadlineMs) assert.fail(`${what}: not within 10 s`)
      await delay(20)
    }
  }
})
