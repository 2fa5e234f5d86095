// Which failure an API server that cannot be reached becomes, by the error of the connection.
import assert from 'node:assert/strict'
import { Failure } from '../../../../protocol/errors.ts'
import { connectionFailure } from '../../../../server/kubernetes/client/connection-failure.ts'

const server = new URL('https://k8s.example:6443')
const judge = (code: string, more: object = {}) =>
  connectionFailure(Object.assign(new Error(`it says ${code}`), { code }, more), server)

describe('connectionFailure()', () => {
  const kinds: [code: string, kind: string][] = [
    ['ECONNREFUSED', 'cluster-refused'],
    ['ENOTFOUND', 'cluster-name-unknown'],
    ['EAI_AGAIN', 'cluster-name-unknown'],
    ['ETIMEDOUT', 'cluster-silent'],
    ['CERT_HAS_EXPIRED', 'cluster-certificate-expired'],
    ['CERT_NOT_YET_VALID', 'cluster-certificate-expired'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'cluster-untrusted'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'cluster-untrusted'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'cluster-untrusted'],
    ['ERR_SSL_TLSV1_UNRECOGNIZED_NAME', 'cluster-untrusted'],
    ['EHOSTUNREACH', 'cluster-unreachable'],
    ['ECONNRESET', 'cluster-unreachable'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'cluster-unreachable'],
  ]
  for (const [code, kind] of kinds)
    it(`takes ${code} for ${kind}`, () => {
      const failure = judge(code)
      assert.equal(failure.kind, kind)
      assert.match(failure.message, /^Cannot \S+ .*"https:\/\/k8s\.example:6443": [^{}]+$/)
    })

  it('gives each of its kinds and states a sentence of its own', () => {
    const told = kinds.filter(([code]) => code !== 'EAI_AGAIN').map(([code]) => judge(code).message)
    assert.equal(new Set(told).size, told.length)
  })

  it('names whom the certificate is for when it is for another', () => {
    const failure = judge('ERR_TLS_CERT_ALTNAME_INVALID', {
      cert: { subjectaltname: 'DNS:kubernetes, IP Address:10.0.0.1' },
      host: 'k8s.example',
    })
    assert.match(failure.message, /its certificate is for kubernetes, 10\.0\.0\.1, not for k8s\.example$/)
  })

  it('takes a refusal among the errors of several addresses for a refusal', () => {
    const errors = ['ENETUNREACH', 'ECONNREFUSED'].map(code => Object.assign(new Error(code), { code }))
    assert.equal(connectionFailure(new AggregateError(errors), server).kind, 'cluster-refused')
  })

  it('leaves a failure as it is, and shows no password of the address', () => {
    const failure = new Failure('cluster-refused', { server: 'x' })
    assert.equal(connectionFailure(failure, server), failure)
    const told = connectionFailure(new Error('x'), new URL('https://ada:secret@k8s.example/path'))
    assert.match(told.message, /"https:\/\/k8s\.example\/path"/)
  })
})
