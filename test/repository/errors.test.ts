// The grammar of errors: the table, the fixes that are written where they arise, and what is thrown as a plain Error.
import assert from 'node:assert/strict'
import { errorTable } from '../../protocol/error-table.ts'
import { codeOf, filesUnder, textOf } from './files.ts'

const rows = Object.entries(errorTable)
const sources = ['server', 'agent', 'hooks', 'clients', 'protocol', 'schemas']
  .flatMap(filesUnder)
  .filter(path => /\.[mc]?[jt]s$/.test(path) && path !== 'protocol/error-table.ts')

/** "isn't", "it's", "you're", "we'll": a possessive such as "the pod's" is none. */
const contraction =
  /\b\w+n't\b|\b(?:it|that|there|here|what|who|where|he|she|let)'s\b|\b(?:I|you|we|they|it|that|there)'(?:re|ve|ll|d|m)\b/i

function faultsOfFix(fix: string): string[] {
  return [
    ...(/^([A-Z]|\{|\$\{)/.test(fix) ? [] : ['begins without a capital']),
    ...(/[^.]\.$/.test(fix) ? ['ends with a full stop'] : []),
    ...(contraction.test(fix) ? ['holds a contraction'] : []),
  ]
}

/** Texts of `fix: '...'` in code. */
function fixesIn(code: string): string[] {
  const literal = /\bfix(?::|\s*=)\s*(?:'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`|"((?:[^"\\\n]|\\.)*)")/g
  return [...codeOf(code).matchAll(literal)].map(match => (match[1] ?? match[2] ?? match[3])!)
}

/** Texts of `throw new Error('...')`, the other classes of JavaScript itself included. */
function errorsIn(code: string): string[] {
  const literal =
    /\bthrow new (?:Error|TypeError|RangeError|SyntaxError)\(\s*(?:'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`|"((?:[^"\\\n]|\\.)*)")/g
  return [...codeOf(code).matchAll(literal)].map(match => (match[1] ?? match[2] ?? match[3])!)
}

describe('the table of errors', () => {
  it('keeps the grammar "Cannot <verb> <object>: <state>"', () => {
    const wrong = rows.filter(
      ([, { message }]) => !/^Cannot \S+ .*: .*[^.]$/.test(message) || contraction.test(message),
    )
    assert.deepEqual(
      wrong.map(([kind]) => kind),
      [],
    )
  })

  it('gives every row a fix that is a sentence without a full stop and without a contraction', () => {
    const wrong = rows.flatMap(([kind, { fix }]) =>
      faultsOfFix(fix).map(fault => `${kind}: its fix ${fault}`),
    )
    assert.deepEqual(wrong, [])
  })

  it('gives no two rows the same code or the same text', () => {
    assert.equal(new Set(rows.map(([, row]) => row.code)).size, rows.length)
    assert.equal(new Set(rows.map(([, row]) => row.message)).size, rows.length)
  })

  it('names each of its rows somewhere in the code', () => {
    const code = sources.map(textOf).join('\n')
    assert.deepEqual(
      rows.map(([kind]) => kind).filter(kind => !code.includes(`'${kind}'`)),
      [],
    )
  })
})

describe('errors in the code', () => {
  it('have fixes by the same grammar where these are written in place', () => {
    const fixes = sources.flatMap(path => fixesIn(textOf(path)).map(fix => ({ path, fix })))
    assert.ok(fixes.length > 15)
    const wrong = fixes.flatMap(({ path, fix }) =>
      faultsOfFix(fix).map(fault => `${path}: "${fix}" ${fault}`),
    )
    assert.deepEqual(wrong, [])
  })

  it('begin with "Cannot" where they are plain, unless a failure takes them in as its reason', () => {
    const wrong = sources
      .filter(path => !(path in reasons))
      .flatMap(path => errorsIn(textOf(path)).map(text => ({ path, text })))
      .filter(({ text }) => !text.startsWith('Cannot ') || contraction.test(text))
    assert.deepEqual(wrong, [])
  })

  it('that are reasons are still there', () => {
    const idle = Object.keys(reasons).filter(path =>
      errorsIn(textOf(path)).every(text => text.startsWith('Cannot ')),
    )
    assert.deepEqual(idle, [])
  })
})

/** Files whose plain errors are the last part of a failure's text, and who makes that failure. */
const reasons: Record<string, string> = {
  'server/kubernetes/client/exec-credential.ts':
    'exec-plugin.ts: Cannot log in to cluster: plugin ... {reason}',
  'server/kubernetes/client/run-plugin.ts': 'exec-plugin.ts: Cannot log in to cluster: plugin ... {reason}',
  'server/kubernetes/client/proxy.ts': 'connection-failure.ts: Cannot reach cluster: {reason}',
  'server/kubernetes/channel/spdy-frames.ts':
    'tunnel-format.ts: the cluster sent what cannot be read: {reason}',
  'server/processes/input.ts': 'the same file: Cannot write to process: {reason}',
  'server/lines.ts': 'whoever reads lines: a channel, an agent, a watch',
  'agent/incoming/send.ts': 'nobody: it only leaves the try, and is counted',
  'hooks/linux/libc.ts': 'nobody: the process has ended before',
}

describe('the grammar of errors', () => {
  it('finds contractions of every kind, and leaves possessives alone', () => {
    for (const text of [
      "it isn't there",
      "It's gone",
      "you're late",
      "they'll see",
      "we've none",
      "That's all",
    ])
      assert.match(text, contraction)
    for (const text of ["the pod's own", "callers' addresses", 'cannot', "its server's key"])
      assert.doesNotMatch(text, contraction)
  })

  it('finds faults of a fix', () => {
    assert.deepEqual(faultsOfFix('Run "standin ls"'), [])
    assert.deepEqual(faultsOfFix('{fix}'), [])
    assert.deepEqual(faultsOfFix("run it, it's easy."), [
      'begins without a capital',
      'ends with a full stop',
      'holds a contraction',
    ])
  })

  it('reads literals of each kind off the code, and not off comments', () => {
    const code =
      "// fix: 'not'\nf({ fix: 'One' })\nconst fix = `Two`\nthrow new Error(\n  \"three\", { cause })\nthrow new RangeError('four')"
    assert.deepEqual(fixesIn(code), ['One', 'Two'])
    assert.deepEqual(errorsIn(code), ['three', 'four'])
  })
})
