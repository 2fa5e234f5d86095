// Which of the pod's variables a process gets, and which never.
import assert from 'node:assert/strict'
import { excludedVariables } from '../../../protocol/excluded-variables.ts'
import { decideEnvironment, fits } from '../../../server/sessions/environment.ts'

const pod = {
  PATH: '/bin',
  HOME: '/root',
  LC_ALL: 'C',
  AWS_KEY: 'k',
  AWS_REGION: 'eu',
  SHOP: '1',
  NODE_ENV: 'test',
}

describe('decideEnvironment()', () => {
  it("gives the pod's variables without those of its machine, user and runtime", () => {
    const { set, unset } = decideEnvironment(pod, undefined)
    assert.deepEqual(set, { AWS_KEY: 'k', AWS_REGION: 'eu', SHOP: '1', NODE_ENV: 'test' })
    assert.deepEqual(unset, [])
    assert.deepEqual(decideEnvironment(pod, true).set, set)
  })

  it('gives nothing when the feature is off', () => {
    assert.deepEqual(decideEnvironment(pod, false), { set: {}, unset: [] })
  })

  it('includes only what fits, in one text with ";" or in a list', () => {
    assert.deepEqual(decideEnvironment(pod, { include: 'SHOP; AWS_?EY' }).set, { SHOP: '1', AWS_KEY: 'k' })
    assert.deepEqual(decideEnvironment(pod, { include: ['AWS_R*'] }).set, { AWS_REGION: 'eu' })
  })

  it('includes a variable that is left out by default only if it is named exactly', () => {
    assert.deepEqual(decideEnvironment(pod, { include: 'HOME' }).set, { HOME: '/root' })
    assert.deepEqual(decideEnvironment(pod, { include: 'HO*;PAT?' }).set, {})
  })

  it('excludes what fits', () => {
    assert.deepEqual(decideEnvironment(pod, { exclude: 'AWS_*;NODE_ENV' }).set, { SHOP: '1' })
  })

  it('overrides whatever the pod has, and unsets what is to be unset', () => {
    const decided = decideEnvironment(pod, {
      include: 'SHOP',
      override: { SHOP: '2', HOME: '/h' },
      unset: ['HOME', 'X'],
    })
    assert.deepEqual(decided, { set: { SHOP: '2' }, unset: ['HOME', 'X'] })
  })

  it('leaves out by default what would break a program here', () => {
    const names = [
      'PATH',
      'HOME',
      'USER',
      'LOGNAME',
      'SHELL',
      'PWD',
      'OLDPWD',
      'SHLVL',
      'TERM',
      'TMPDIR',
      'HOSTNAME',
      'LANG',
      '_',
    ]
    names.push(
      'LC_CTYPE',
      'SSH_TTY',
      'XDG_RUNTIME_DIR',
      'DISPLAY',
      'EDITOR',
      'LD_PRELOAD',
      'LD_LIBRARY_PATH',
      'NODE_OPTIONS',
    )
    names.push(
      'JAVA_TOOL_OPTIONS',
      'PYTHONPATH',
      'PYTHONHOME',
      'GOPATH',
      'GOROOT',
      'CLASSPATH',
      'STANDIN_TOKEN',
    )
    const set = Object.fromEntries(names.map(name => [name, 'x']))
    assert.deepEqual(decideEnvironment(set, undefined).set, {})
  })

  it('keeps what applications read', () => {
    const set = { LD_SDK_KEY: '1', NODE_IP: '2', ENV: 'staging', GO_FLAGS: '3', PATHS: '4', LANGUAGES: '5' }
    assert.deepEqual(decideEnvironment(set, undefined).set, set)
  })
})

describe('the list of excluded variables', () => {
  it('says why for each', () => assert.ok(Object.values(excludedVariables).every(why => why.length > 5)))
})

describe('fits()', () => {
  it('takes nothing but * and ? as special', () => {
    assert.equal(fits('A.C', 'ABC'), false)
    assert.equal(fits('A?C', 'ABC'), true)
    assert.equal(fits('*_KEY', 'AWS_KEY'), true)
    assert.equal(fits('(A', '(A'), true)
    assert.equal(fits('a', 'A'), false)
  })
})
