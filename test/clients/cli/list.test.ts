// What the options of ls ask the server for.
import assert from 'node:assert/strict'
import { type ListOptions, listParams } from '../../../clients/cli/list.ts'

const params = (options: Partial<ListOptions>) => listParams({ output: 'table', ...options }, '/home/me')

describe('listParams()', () => {
  it('leaves the place to the server when no option says it', () => {
    assert.deepEqual(params({}), { folder: '/home/me' })
    assert.deepEqual(params({ name: 'shop' }), { name: 'shop', folder: '/home/me' })
  })

  it('means a cluster as soon as an option does', () => {
    assert.deepEqual(params({ namespace: 'shop', selector: 'app=a', kubeconfig: 'k' }), {
      place: 'cluster',
      namespace: 'shop',
      labels: 'app=a',
      kubeconfig: '/home/me/k',
      folder: '/home/me',
    })
    const { place, allNamespaces } = params({ allNamespaces: true })
    assert.deepEqual({ place, allNamespaces }, { place: 'cluster', allNamespaces: true })
  })

  it('leaves the place to the kinds when they are named', () => {
    const { place, kinds, namespace } = params({ kind: ['process'], namespace: 'shop' })
    assert.deepEqual({ place, kinds, namespace }, { place: undefined, kinds: ['process'], namespace: 'shop' })
  })

  it('names the configuration whose cluster is meant', () => {
    assert.equal(params({ configFile: 'a.json' }).configFile, '/home/me/a.json')
  })

  it('means this machine with --local, whatever the environment says', () => {
    assert.deepEqual(params({ local: true, namespace: 'shop', context: 'staging', name: 'a' }), {
      place: 'machine',
      name: 'a',
    })
  })
})
