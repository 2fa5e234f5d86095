// What tests may not do: be switched off, vanish where something is missing, or sleep.
import assert from 'node:assert/strict'
import { codeOf, filesUnder, textOf } from './files.ts'

const own = 'test/repository/tests.test.ts'
const files = filesUnder('test').filter(path => /\.[mc]?[jt]s$/.test(path) && path !== own)
const tests = files.filter(path => path.endsWith('.test.ts'))

const switchedOff =
  /\b(?:it|describe|context|before|after|test|suite)\.(?:skip|only)\b|\bthis\.skip\(|(?<![\w.])(?:xit|xdescribe|xcontext|fit|fdescribe)\(/
/** A test that is there only sometimes: `if (...) it(`, `(... ? it : ...)(`. */
const sometimes =
  /^[ \t]*(?:\} else )?if \([^\n]*\)\s*(?:\{\s*)?(?:it|describe)\(|\?\s*(?:it|describe)\b|&&\s*(?:it|describe)\(/gm

/**
 * Lines that let time pass, and have no comment at or up to two lines above it that names what the time stands for. A look at a deadline
 * there does as well: then the line is between two questions after a state that nobody tells of.
 */
function bareSleeps(text: string): string[] {
  const names = [
    ...text.matchAll(/import \{[^}]*\bsetTimeout(?: as (\w+))?[^}]*\} from 'node:timers\/promises'/g),
  ].map(match => match[1] ?? 'setTimeout')
  const pause = new RegExp(
    [
      /new Promise(?:<\w+>)?\(\(?(\w+)\)? => (?:void )?setTimeout\(\1\b/.source,
      ...names.map(name => `\\b${name}\\(`),
    ].join('|'),
  )
  const lines = text.split('\n')
  return lines.filter((line, index) => {
    if (/^(import|\} from)\b/.test(line) || !pause.test(line)) return false
    return !lines.slice(Math.max(0, index - 2), index + 1).some(near => /\/\/|^\s*\/?\*|deadline/i.test(near))
  })
}

describe('tests', () => {
  it('are never switched off', () => {
    assert.deepEqual(
      files.filter(path => switchedOff.test(codeOf(textOf(path)))),
      [],
    )
  })

  it('are there on every machine', () => {
    // Only x86 runs 32-bit programs.
    const known = ['test/journeys/hooks/fidelity.test.ts']
    assert.deepEqual(
      tests.filter(path => codeOf(textOf(path)).match(sometimes)),
      known,
    )
  })

  it('do not sleep: where time passes, a comment says what it stands for', () => {
    const found = files.flatMap(path => bareSleeps(textOf(path)).map(line => `${path}: ${line.trim()}`))
    assert.deepEqual(
      found.filter(line => !owed.some(path => line.startsWith(`${path}: `))),
      [],
    )
  })
})

/** Files of the cluster's tests whose pauses still want words. */
const owed = [
  'test/cluster/journeys/channel-faults.test.ts',
  'test/cluster/journeys/link.test.ts',
  'test/cluster/run.ts',
  'test/cluster/stage/caller.cjs',
  'test/cluster/stage/channel-pod.ts',
]

describe('bareSleeps()', () => {
  const imported = "import { setTimeout as delay } from 'node:timers/promises'\n"
  const cases: [string, string, number][] = [
    ['a promise of time', 'await new Promise(resolve => setTimeout(resolve, 100))', 1],
    ['a pause by another name', `${imported}await delay(100)`, 1],
    ['a pause that says what it stands for', `${imported}await delay(100) // how long the callers buy`, 0],
    ['a pause with words above it', `${imported}// Longer than the lease.\nawait delay(100)`, 0],
    [
      'a question again before a deadline',
      `if (Date.now() > deadline) throw late\n${'await new Promise(r => setTimeout(r, 5))'}`,
      0,
    ],
    ['a deadline', "setTimeout(() => reject(new Error('late')), 100)", 0],
  ]
  for (const [what, text, count] of cases)
    it(`finds ${count} in ${what}`, () => assert.equal(bareSleeps(text).length, count))
})

describe('the patterns of what tests may not do', () => {
  it('know each way to switch a test off, and to have it sometimes', () => {
    for (const line of ['it.skip(', 'describe.only(', 'this.skip()', 'xit(', '  fdescribe('])
      assert.match(line, switchedOff)
    for (const line of ['keeper.skip(3)', 'await exit(', 'submit(', 'only('])
      assert.doesNotMatch(line, switchedOff)
    for (const line of ["if (asRoot) it('x'", "  if (x)\n    it('y'", "(x ? it : other)('z'", "x && it('w'"])
      assert.ok(line.match(sometimes), line)
    for (const line of ["for (const x of y)\n  it('x'", 'if (x) return\nit('])
      assert.equal(line.match(sometimes), null, line)
  })
})
