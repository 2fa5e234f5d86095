// How every file reads: its first sentence, its length, and what no file has.
import assert from 'node:assert/strict'
import { filesUnder, rooms, scriptFiles, textOf } from './files.ts'

const marks: Record<string, string> = { py: '#', s: '#', sh: '#', run: '#', lua: '--' }
const program = /\.(?:[mc]?[jt]s|py|c|h|go|java|rs|s|sh|lua|kt)$/

/** Undefined when a text opens with a sentence in a comment, else what it opens with. */
function muteOpening(path: string, text: string): string | undefined {
  const mark = marks[path.split(/[./]/).at(-1)!] ?? '//'
  const first = text.split('\n').find(line => !line.startsWith('#!')) ?? ''
  const sentence = first.startsWith(`${mark} `) ? first.slice(mark.length + 1) : ''
  // Longer ones go on in the next line.
  return /^[A-Z"`].{15,}/.test(sentence) || /^[a-z][\w. ]* .{15,}/.test(sentence) ? undefined : first
}

describe('every file', () => {
  it('begins with the sentence that says what it is for', () => {
    const files = [...rooms.flatMap(filesUnder).filter(path => program.test(path)), ...filesUnder('.ci')]
    assert.ok(files.some(path => path.endsWith('.py')) && files.some(path => path.endsWith('.test.ts')))
    const mute = files.flatMap(path => {
      const opening = muteOpening(path, textOf(path))
      return opening === undefined ? [] : [`${path}: ${opening}`]
    })
    assert.deepEqual(mute, [])
  })

  it('has under 300 lines, unless it is a list of tests', () => {
    const long = scriptFiles().filter(
      path => !path.endsWith('.test.ts') && textOf(path).split('\n').length > 301,
    )
    assert.deepEqual(long, [])
  })

  it('has no default export and no enum', () => {
    const wrong = scriptFiles().filter(path => /^export default|^export enum|^enum /m.test(textOf(path)))
    assert.deepEqual(wrong, [])
  })
})

describe('muteOpening()', () => {
  it('wants a comment with a sentence in the language of the file, behind its #! line', () => {
    assert.equal(muteOpening('a.ts', '// Reads what the kernel says of a process.\n'), undefined)
    assert.equal(
      muteOpening('a.py', '#!/usr/bin/python3\n# Serves one connection after the other.\n'),
      undefined,
    )
    assert.equal(
      muteOpening('.ci/run', '#!/usr/bin/env bash\n# Runs every gate on a fresh clone.\n'),
      undefined,
    )
    assert.equal(
      muteOpening('a.test.ts', "import assert from 'node:assert/strict'\n"),
      "import assert from 'node:assert/strict'",
    )
    assert.equal(muteOpening('a.c', '// tests\n'), '// tests')
    assert.equal(muteOpening('a.py', 'import os\n'), 'import os')
  })
})
