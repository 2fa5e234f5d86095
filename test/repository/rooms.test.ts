// The table of rooms in ARCHITECTURE: who may import whom, and what only one folder may touch.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import {
  codeOf,
  filesUnder,
  importsIn,
  importsOf,
  rooms,
  scriptFiles,
  textOf,
  unreadableImportsIn,
} from './files.ts'

/** Who may import whom (DESIGN section 3): everyone itself and protocol; only test may look everywhere. */
const mayImport: Record<(typeof rooms)[number], readonly string[]> = {
  protocol: ['protocol'],
  server: ['server', 'protocol'],
  agent: ['agent', 'protocol'],
  hooks: ['hooks', 'protocol'],
  clients: ['clients', 'protocol'],
  schemas: ['schemas', 'protocol'],
  test: [...rooms],
}
const sources = scriptFiles()
const ours = sources.filter(path => !path.startsWith('test/'))

describe('the rooms', () => {
  it('are the seven top folders and nothing else', () => {
    const folders = readdirSync('.', { withFileTypes: true }).filter(
      e => e.isDirectory() && !e.name.startsWith('.'),
    )
    const found = folders.map(e => e.name).filter(name => name !== 'node_modules' && name !== 'dist')
    assert.deepEqual(found.sort(), [...rooms].sort())
  })

  it('import only what the table of rooms allows', () => {
    const crossings = sources.flatMap(path => {
      const room = path.split('/')[0] as (typeof rooms)[number]
      return importsOf(path)
        .filter(module => module.startsWith('.'))
        .map(module => normalize(join(dirname(path), module)))
        .filter(target => !mayImport[room].includes(target.split('/')[0]!))
        .map(target => `${path} imports ${target}`)
    })
    assert.deepEqual(crossings, [])
  })

  it('import by literal names, which this test can judge', () => {
    // The CLI becomes the server by the path of its bundle.
    const known = ['clients/cli/main.ts: createRequire(path)(path)']
    const unreadable = ours.flatMap(path => unreadableImportsIn(textOf(path)).map(call => `${path}: ${call}`))
    assert.deepEqual(unreadable, known)
  })

  it('leave io-ts as the only package that protocol needs', () => {
    const packages = filesUnder('protocol')
      .flatMap(importsOf)
      .filter(m => !m.startsWith('.') && !m.startsWith('node:'))
    assert.deepEqual(
      [...new Set(packages)].filter(m => m !== 'io-ts'),
      [],
    )
  })

  it('touch the kernel only in hooks/linux and agent/linux', () => {
    const native = /\bprocess\.(dlopen|binding|_linkedBinding)\b|\bkoffi\.\w+\(/
    const users = ours.filter(
      path =>
        importsOf(path).some(module => /^koffi\b|\.node$/.test(module)) || native.test(codeOf(textOf(path))),
    )
    assert.ok(users.length > 3, 'the rule finds those that may')
    assert.deepEqual(
      users.filter(path => !/^(hooks|agent)\/linux\//.test(path)),
      [],
    )
  })

  it('speak to Kubernetes only in server/kubernetes', () => {
    const paths =
      /['"`/](api\/v1|apis\/|\.well-known\/openid)|\bv[45]\.channel\.k8s\.io|\bhttps?:\/\/kubernetes\.default/
    const users = ours.filter(
      path =>
        importsOf(path).some(module => /^(@kubernetes\/.*|ws)$/.test(module)) ||
        paths.test(codeOf(textOf(path))),
    )
    assert.ok(users.length > 3, 'the rule finds those that may')
    assert.deepEqual(
      users.filter(path => !path.startsWith('server/kubernetes/')),
      [],
    )
  })
})

describe('importsIn()', () => {
  it('finds a module however it is imported, and not in comments', () => {
    const text = [
      "import { a } from 'one'",
      "import type { B } from '../two.ts'",
      "import 'three'",
      "export * from 'four'",
      "const five = await import('five')",
      "type Six = import('six').Six",
      "const seven = require('seven')",
      "const eight = createRequire(import.meta.url)('eight')",
      "require.resolve('nine')",
      'import {',
      '  c,',
      "} from 'ten'",
      "// require('not')",
      " * import('this')",
      "/** import('neither') */",
      "this.hooks.require('but no module')",
    ].join('\n')
    const expected = ['one', '../two.ts', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten']
    assert.deepEqual(
      importsIn(text)
        .filter(module => module !== 'this')
        .sort(),
      expected.sort(),
    )
  })

  it('tells what it cannot read', () => {
    const text = [
      'await import(name)',
      "require('fine')",
      'require(name + suffix)',
      'async require(): Promise<void> {',
      'createRequire(path)(path)',
    ]
    assert.deepEqual(unreadableImportsIn(text.join('\n')), [
      'import(name)',
      'require(name + suffix)',
      'createRequire(path)(path)',
    ])
  })
})
