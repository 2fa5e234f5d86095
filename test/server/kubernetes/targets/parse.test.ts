// How the path of a target is read, and what is said of a wrong one.
import assert from 'node:assert/strict'
import { Failure } from '../../../../protocol/errors.ts'
import { parseTarget, writeTarget } from '../../../../server/kubernetes/targets/parse.ts'

const refused = (text: string, reason: string | RegExp) =>
  assert.throws(
    () => parseTarget(text),
    (thrown: unknown) => {
      assert.ok(thrown instanceof Failure)
      assert.equal(thrown.kind, 'target-invalid')
      if (typeof reason === 'string') assert.equal(thrown.values.reason, reason)
      else assert.match(String(thrown.values.reason), reason)
      return true
    },
    text,
  )

describe('parseTarget()', () => {
  it('reads a kind and a name, with or without a container', () => {
    assert.deepEqual(parseTarget('deployment/shop'), { by: 'kind', kind: 'deployment', name: 'shop' })
    assert.deepEqual(parseTarget('sts/db/container/postgres'), {
      ...{ by: 'kind', kind: 'statefulset', name: 'db', container: 'postgres' },
    })
    assert.deepEqual(parseTarget('pod/web-7f9.example'), { by: 'kind', kind: 'pod', name: 'web-7f9.example' })
    assert.deepEqual(parseTarget('deployment.apps/shop'), parseTarget('deployment/shop'))
  })
  it('reads a name alone, with or without a container', () => {
    assert.deepEqual(parseTarget('shop'), { by: 'name', name: 'shop' })
    assert.deepEqual(parseTarget('shop/container/web'), { by: 'name', name: 'shop', container: 'web' })
  })
  it('reads labels, whose keys may have a "/", and a container behind them', () => {
    assert.deepEqual(parseTarget('label/app=shop,tier!=db'), { by: 'label', selector: 'app=shop,tier!=db' })
    assert.deepEqual(parseTarget('labels/app.kubernetes.io/name=shop'), {
      ...{ by: 'label', selector: 'app.kubernetes.io/name=shop' },
    })
    assert.deepEqual(parseTarget('label/example.com/container/web'), {
      ...{ by: 'label', selector: 'example.com', container: 'web' },
    })
    assert.deepEqual(parseTarget('label/a in (b, c)'), { by: 'label', selector: 'a in (b, c)' })
  })
  it('says what is wrong with the kind', () => {
    refused('deploymnet/shop', '"deploymnet" is no kind of target (did you mean "deployment"?)')
    refused('/shop', 'the kind before "/" is missing')
    refused('deployment', 'the name after the kind is missing, as in "deployment/NAME"')
    refused('sts', 'the name after the kind is missing, as in "statefulset/NAME"')
    for (const more of ['container/web', 'shop'])
      refused(`targetless/${more}`, '"targetless" takes nothing after it, and -n names the namespace')
  })
  it('says what is wrong with the name', () => {
    refused('', 'it is empty')
    refused('  ', 'it is empty')
    refused('deployment/', 'the name of the deployment is missing')
    refused('pod/Shop', 'names in Kubernetes are lower case (did you mean "shop"?)')
    refused('pod/-shop', /^"-shop" is no name of Kubernetes, which has lower-case letters/)
    refused('pod/shop..', /is no name of Kubernetes/)
    refused(`pod/${'a'.repeat(254)}`, 'the name of the pod has 254 characters, Kubernetes allows 253')
    refused('pod/shop/', 'it ends with "/"')
    refused('pod/shop/web', '"/web" is not understood, a container is named as "/container/NAME"')
    refused('label/', 'the labels after "label/" are missing')
  })
  it('says what is wrong with the container', () => {
    refused('pod/shop/container/', 'the name of the container is missing')
    refused('pod/shop/container/a.b', /^"a\.b" is no name of Kubernetes/)
    refused(
      `shop/container/${'a'.repeat(64)}`,
      'the name of the container has 64 characters, Kubernetes allows 63',
    )
  })
  it('shows no more of a long text than a line holds', () => {
    assert.throws(
      () => parseTarget(`${'x'.repeat(5_000)}/y`),
      ({ message }: Error) => message.length < 400,
    )
  })
  it('reads what writeTarget() writes', () => {
    for (const container of [undefined, 'web'])
      assert.deepEqual(parseTarget(writeTarget('cronjob', 'nightly', container)), {
        ...{ by: 'kind', kind: 'cronjob', name: 'nightly' },
        ...(container === undefined ? {} : { container }),
      })
  })
})
