// Credential plugins: what they are told, which answers count, which configurations are refused beforehand.
import assert from 'node:assert/strict'
import type { Failure } from '../../../../protocol/errors.ts'
import { execInfo, readExecCredential } from '../../../../server/kubernetes/client/exec-credential.ts'
import { createExecPlugin } from '../../../../server/kubernetes/client/exec-plugin.ts'
import { openLog } from '../../../../server/log.ts'

const v1 = 'client.authentication.k8s.io/v1'
const nowMs = Date.parse('2026-01-01T00:00:00Z')
const read = (answer: unknown, version = v1) =>
  readExecCredential(
    Buffer.from(typeof answer === 'string' ? answer : JSON.stringify(answer)),
    version,
    nowMs,
  )
const answer = (status: unknown, apiVersion = v1) => ({ kind: 'ExecCredential', apiVersion, status })

describe('the answer of a credential plugin', () => {
  it('gives a token until the time it states', () => {
    assert.deepEqual(read(answer({ token: 'abc', expirationTimestamp: '2026-01-01T01:00:00Z' })), {
      token: 'abc',
      expiresAtMs: nowMs + 3_600_000,
    })
    assert.deepEqual(read(answer({ token: 'abc' })), { token: 'abc' })
  })

  it('that has expired already holds until it is refused: then our clock is the wrong one', () => {
    assert.deepEqual(read(answer({ token: 'abc', expirationTimestamp: '2025-12-31T00:00:00Z' })), {
      token: 'abc',
    })
  })

  const wrong: [name: string, answer: unknown, says: RegExp][] = [
    ['nothing', ' \n', /^printed nothing$/],
    ['rubbish', 'Logged in! token=secret', /^printed 23 bytes that are no ExecCredential in JSON$/],
    ['a list', '[]', /are no ExecCredential/],
    ['another kind', { kind: 'Token', apiVersion: v1 }, /^printed a Token and no ExecCredential$/],
    [
      'another version',
      answer({ token: 'a' }, 'client.authentication.k8s.io/v1beta1'),
      /^answered as .*v1beta1; the kubeconfig says/,
    ],
    ['no status', answer(null), /without a status/],
    ['no credential', answer({}), /no token and no certificate/],
    ['half a certificate', answer({ clientCertificateData: 'x' }), /half of a certificate/],
    ['a broken certificate', answer({ clientCertificateData: 'x', clientKeyData: 'y' }), /cannot be read/],
    ['no time', answer({ token: 'a', expirationTimestamp: 'soon' }), /expirationTimestamp that is no time/],
  ]
  for (const [name, given, says] of wrong)
    it(`that is ${name} is refused, without showing it`, () =>
      assert.throws(
        () => read(given),
        (error: Error) => says.test(error.message) && !error.message.includes('secret'),
      ))
})

describe('what a credential plugin is told', () => {
  const cluster = { server: 'https://k8s.example', config: { audience: 'x' } }
  const entry = { command: 'login', apiVersion: v1, interactiveMode: 'IfAvailable' }

  it('is that there is no terminal, and the cluster only if it asks for it', () => {
    assert.deepEqual(JSON.parse(execInfo(entry, cluster)), {
      kind: 'ExecCredential',
      apiVersion: v1,
      spec: { interactive: false },
    })
    assert.deepEqual(
      JSON.parse(execInfo({ ...entry, provideClusterInfo: true }, cluster)).spec.cluster,
      cluster,
    )
  })
})

describe('a credential plugin that can never work', () => {
  const make = (entry: object) => {
    const log = openLog({ level: 'error' })
    const whole = { command: 'login', apiVersion: v1, interactiveMode: 'Never', ...entry }
    try {
      createExecPlugin({ user: 'ada', file: '/config', entry: whole, cluster: { server: 'x' }, env: {}, log })
    } catch (error) {
      return error as Failure
    }
    return undefined
  }

  it('is refused before anything runs', () => {
    assert.equal(make({}), undefined)
    assert.equal(
      make({ apiVersion: 'client.authentication.k8s.io/v1beta1', interactiveMode: undefined }),
      undefined,
    )
    assert.match(make({ command: '' })?.message ?? '', /the exec plugin of user "ada" has no command/)
    assert.match(
      make({ apiVersion: 'client.authentication.k8s.io/v1alpha1' })?.message ?? '',
      /has apiVersion ".*v1alpha1"/,
    )
    assert.match(
      make({ interactiveMode: undefined })?.message ?? '',
      /has no interactiveMode, which v1 asks for/,
    )
    assert.match(make({ interactiveMode: 'Maybe' })?.message ?? '', /interactiveMode "Maybe"; it is one of/)
  })

  it('because it always wants a terminal says to log in by hand', () => {
    const failure = make({ interactiveMode: 'Always', args: ['--browser'] })
    assert.equal(failure?.kind, 'credentials-failed')
    assert.match(failure?.message ?? '', /its plugin "login" wants a terminal \(interactiveMode Always\)/)
    assert.match(failure?.data.fix ?? '', /Log in by hand first \("login --browser"\)/)
  })
})
