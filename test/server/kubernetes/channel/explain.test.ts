// What goes wrong between server and pod, told in a reason that a user understands.
import assert from 'node:assert/strict'
import { Failure } from '../../../../protocol/errors.ts'
import { connectionFault, forwardReason, refusal } from '../../../../server/kubernetes/channel/explain.ts'
import { StatusError } from '../../../../server/kubernetes/client/api.ts'

const asks = { verb: 'get', resource: 'pods/portforward', namespace: 'shop' }
const subject = { verb: 'forward port 80 of', pod: 'web', namespace: 'shop' }
const status = (code: number, message: string) => new StatusError(code, '', message, asks)
const failed = (code: number, reason: string) =>
  new Failure('cluster-failed', { ...asks, where: '', status: code, reason })

describe('refusal()', () => {
  // Texts of Kubernetes 1.34.4.
  for (const [error, reason] of [
    [status(404, 'pods "web" not found'), 'there is no such pod in namespace "shop"'],
    [status(404, 'pods "node-7" not found'), 'its node "node-7" is gone'],
    [failed(400, 'pod web does not have a host assigned'), 'it is on no node yet'],
    [failed(500, 'pod not found ("web_shop")'), 'it does not run on its node'],
    [
      failed(500, 'error dialing backend: dial tcp 10.0.0.7:10250: connect: connection refused'),
      'the cluster cannot reach its node (dial tcp 10.0.0.7:10250: connect: connection refused)',
    ],
    [status(403, 'admission webhook "no" denied the request.'), 'admission webhook "no" denied the request'],
  ] as const)
    it(`says "${reason}"`, () => {
      const failure = refusal(error, subject) as Failure
      assert.equal(failure.message, `Cannot forward port 80 of pod "web": ${reason}`)
      assert.equal(failure.kind, 'channel-failed')
      assert.equal(failure.cause, error)
    })

  it('leaves what is not about the pod as it is', () => {
    const refused = new Failure('cluster-refused', { server: 'x' })
    assert.equal(refusal(refused, subject), refused)
    const thrown = new Error('x')
    assert.equal(refusal(thrown, subject), thrown)
  })
})

describe('connectionFault()', () => {
  const facts = { pod: 'web', port: 80, fault: undefined, text: '' }

  it('is nothing when the connection closed in order', () => {
    assert.equal(connectionFault(facts), undefined)
  })

  it("prefers the node's text to the way the connection closed, and keeps it as detail", () => {
    const text =
      'error forwarding port 80 to pod 1, uid : dial tcp4 127.0.0.1:80: connect: connection refused'
    const failure = connectionFault({ ...facts, text, fault: 'the connection was cut' })
    assert.equal(failure?.message, 'Cannot forward port 80 of pod "web": nothing listens on port 80 in it')
    assert.equal(failure?.data.detail, text)
    const cut = connectionFault({ ...facts, fault: 'the connection was cut' })
    assert.equal(cut?.message, 'Cannot forward port 80 of pod "web": the connection was cut')
  })
})

describe('forwardReason()', () => {
  it('tells a text that it does not know as one line of bounded length', () => {
    assert.equal(forwardReason('strange\n  things.', 1), 'strange things')
    assert.equal(forwardReason('x'.repeat(400), 1), `${'x'.repeat(300)}...`)
    assert.equal(
      forwardReason('read tcp4: read: connection reset by peer', 1),
      'its program reset the connection',
    )
  })
})
