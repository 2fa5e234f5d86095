// Options of exec turned into the params of startSession.
import assert from 'node:assert/strict'
import { type ExecOptions, outputDescriptor, sessionParams } from '../../../clients/cli/exec-options.ts'
import { decode } from '../../../protocol/codec.ts'
import { Failure } from '../../../protocol/errors.ts'
import { startSession } from '../../../protocol/rpc/sessions.ts'

const paramsOf = (options: Partial<ExecOptions>) =>
  sessionParams({ target: 'process/1', ...options }, '/home/me/shop')

function refuses(what: () => unknown, words: RegExp): void {
  assert.throws(what, thrown => {
    assert.ok(thrown instanceof Failure)
    assert.equal(thrown.kind, 'usage-wrong')
    assert.match(thrown.message, words)
    return true
  })
}

describe('sessionParams()', () => {
  it('sends no key that was not given, so that the file stays in force', () => {
    assert.deepEqual(paramsOf({}), { target: 'process/1', folder: '/home/me/shop', config: {} })
    assert.equal(sessionParams({}, '/').target, '')
  })

  it('puts every option where the configuration has it, in a form that the server accepts', () => {
    const params = paramsOf({
      envInclude: 'SHOP_*;REGION',
      env: ['A=1', 'B=x=y', 'EMPTY='],
      portMapping: ['3000:80', '3001:81'],
      ports: '80,81',
      configFile: 'conf/standin.json',
      namespace: 'shop',
      context: 'staging',
      kubeconfig: 'kube.yaml',
      agentImage: 'node:20',
      agentNamespace: 'agents',
      agentStartupTimeout: '90',
    })
    assert.deepEqual(params, {
      target: 'process/1',
      folder: '/home/me/shop',
      configFile: '/home/me/shop/conf/standin.json',
      config: {
        target: { namespace: 'shop' },
        kubeconfig: '/home/me/shop/kube.yaml',
        kube_context: 'staging',
        agent: { image: 'node:20', namespace: 'agents', startup_timeout: 90 },
        feature: {
          env: { include: 'SHOP_*;REGION', override: { A: '1', B: 'x=y', EMPTY: '' } },
          network: {
            incoming: {
              mode: 'mirror',
              ports: [80, 81],
              port_mapping: [
                [3000, 80],
                [3001, 81],
              ],
            },
          },
        },
      },
    })
    assert.ok(decode(startSession.params, params).ok)
  })

  it('takes the names that mirrord has for the same', () => {
    assert.deepEqual(paramsOf({ targetNamespace: 'shop', ephemeralContainer: true }).config, {
      target: { namespace: 'shop' },
      agent: { ephemeral: true },
    })
  })

  it('takes a variable that is set to nothing for one that is not set', () => {
    assert.deepEqual(paramsOf({ namespace: '', context: '', agentImage: '', configFile: '' }), paramsOf({}))
  })

  it('leaves an absolute configuration path alone', () => {
    assert.equal(paramsOf({ configFile: '/etc/standin.json' }).configFile, '/etc/standin.json')
  })

  it('refuses what it cannot mean, and names the option', () => {
    refuses(() => paramsOf({ envInclude: 'A', envExclude: 'B' }), /--env-include and --env-exclude/)
    refuses(() => paramsOf({ env: ['A'] }), /--env takes NAME=VALUE, not "A"/)
    refuses(() => paramsOf({ env: ['=A'] }), /--env takes/)
    refuses(() => paramsOf({ portMapping: ['80'] }), /--port-mapping takes PROCESS:POD/)
    refuses(() => paramsOf({ portMapping: ['0:80'] }), /--port-mapping takes ports/)
    refuses(() => paramsOf({ ports: '80,65536' }), /--ports takes ports from 1 to 65535, not "65536"/)
    refuses(() => paramsOf({ ports: '' }), /--ports/)
    refuses(() => paramsOf({ ports: '8e1' }), /--ports/)
    refuses(() => paramsOf({ agentStartupTimeout: '1m' }), /--agent-startup-timeout takes a whole number/)
  })
})

describe('outputDescriptor()', () => {
  it('is standard error unless another is named', () => {
    assert.equal(outputDescriptor(undefined), 2)
    assert.equal(outputDescriptor('7'), 7)
  })

  it("refuses the command's own standard input and output", () => {
    for (const text of ['0', '1', '-1', 'x', '']) refuses(() => outputDescriptor(text), /--output-fd/)
  })
})
