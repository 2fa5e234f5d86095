// The pages name only what exists: paths, scripts, commands of our programs, and the names of code.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { commandTree } from '../../clients/cli/program.ts'
import { codeOf, filesUnder, rooms, textOf } from './files.ts'

const pages = ['ARCHITECTURE.md', 'CONTRIBUTING.md', 'README.md']
const roomPath = /(?<![\w./-])((?:server|protocol|agent|hooks|clients|test|schemas)\/[\w./*-]*\w)/g

/** Pieces of a page in backticks, blocks left out. */
function spansOf(page: string): string[] {
  return [...page.replace(/^```[\s\S]*?^```/gm, '').matchAll(/`([^`\n]+)`/g)].map(([, span]) => span!)
}

/** Names that code can have, of the spans that hold no path; and names in camelCase wherever they are. */
function namesOf(page: string): string[] {
  const spans = spansOf(page).filter(span => !span.includes('/'))
  const named = spans.flatMap(span => span.match(/[A-Za-z_]\w+(?:-\w+)*/g) ?? [])
  return [...new Set([...named, ...(page.match(/\b[a-z]+[A-Z]\w*/g) ?? [])])]
}

/** Those that follow the name of a program in a span: `agent list`. */
function verbsOf(page: string, program: string): string[] {
  return spansOf(page).flatMap(span => new RegExp(`^(?:npx )?${program} ([a-z]+)`).exec(span)?.[1] ?? [])
}

describe('the pages', () => {
  // What Kubernetes, npm and the kernel call theirs is in the code too where it matters; tests of the pages would find everything in themselves.
  const code = [...rooms.flatMap(filesUnder), 'package.json', 'biome.json']
    .filter(path => !path.startsWith('test/repository/') && /\.([mc]?[jt]s|py|json|c|txt)$/.test(path))
    .map(path => codeOf(textOf(path)))
    .join('\n')
  const words = new Set(code.match(/[A-Za-z_]\w*(?:-\w+)*/g))
  for (const part of [...words]) for (const word of part.split('-')) words.add(word)

  for (const page of pages) {
    it(`name only paths that exist: ${page}`, () => {
      const named = [...textOf(page).matchAll(roomPath)].map(match => match[1]!)
      assert.deepEqual(
        named.filter(path => !path.includes('*') && !existsSync(path) && !existsSync(`${path}.ts`)),
        [],
      )
    })

    it(`name only what the code has: ${page}`, () => {
      assert.deepEqual(
        namesOf(textOf(page)).filter(name => !words.has(name) && !notOurs.includes(name)),
        [],
      )
    })
  }

  it('name only scripts that package.json has', () => {
    const scripts = Object.keys(JSON.parse(textOf('package.json')).scripts)
    const named = pages.flatMap(page =>
      [...textOf(page).matchAll(/npm run (?:--\S+ )*([\w:]+)/g)].map(match => match[1]!),
    )
    assert.deepEqual(
      named.filter(script => !scripts.includes(script)),
      [],
    )
  })

  it('name only commands that our programs have', () => {
    const agent = [...textOf('agent/arguments.ts').matchAll(/case '([a-z-]+)':/g)].map(([, verb]) => verb!)
    const cli = ['help', ...commandTree(() => {}).commands.map(command => command.name())]
    for (const [program, verbs] of Object.entries({ agent, standin: cli })) {
      const named = pages.flatMap(page => verbsOf(textOf(page), program))
      assert.ok(named.length > 0, program)
      assert.deepEqual(
        named.filter(verb => !verbs.includes(verb)),
        [],
      )
    }
  })
})

/** Names in backticks that belong to the reader's shell and npm, or are pages. */
const notOurs = ['nohup', 'ci', 'npx', 'CONTRIBUTING']

describe('namesOf()', () => {
  it('finds names in backticks and in camelCase, and leaves paths and blocks to others', () => {
    const page = 'The `agent list`, `agent/main.ts`, stopSession and `pidfd_getfd`.\n```\n`block`\n```\n'
    assert.deepEqual(namesOf(page), ['agent', 'list', 'pidfd_getfd', 'stopSession'])
    assert.deepEqual(verbsOf(page, 'agent'), ['list'])
  })
})
