import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { filesUnder, importsOf, rooms, textOf } from './files.ts'

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
const sources = rooms.flatMap(filesUnder).filter(path => path.endsWith('.ts'))

describe('the rooms', () => {
  it('are the seven top folders and nothing else', () => {
    const folders = readdirSync('.', { withFileTypes: true }).filter(
      e => e.isDirectory() && !e.name.startsWith('.'),
    )
    const ours = folders.map(e => e.name).filter(name => name !== 'node_modules' && name !== 'dist')
    assert.deepEqual(ours.sort(), [...rooms].sort())
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
    const users = sources.filter(path => !path.startsWith('test/') && importsOf(path).includes('koffi'))
    assert.deepEqual(
      users.filter(path => !/^(hooks|agent)\/linux\//.test(path)),
      [],
    )
  })

  it('begin every file with the sentence that says what it is for', () => {
    const mute = sources
      .filter(path => !path.endsWith('.test.ts'))
      .filter(path => {
        const first =
          textOf(path)
            .split('\n')
            .find(line => !line.startsWith('#!')) ?? ''
        return !/^\/\/ \S.{15,}/.test(first)
      })
    assert.deepEqual(mute, [])
  })

  it('keep every file under 300 lines', () => {
    const long = sources.filter(path => !path.endsWith('.test.ts') && textOf(path).split('\n').length > 301)
    assert.deepEqual(long, [])
  })

  it('have no default exports, enums or switched-off tests', () => {
    const wrong = sources
      .filter(path => path !== 'test/repository/rooms.test.ts')
      .filter(path =>
        /^export default|^export enum|^enum |\b(it|describe)\.(skip|only)\(/m.test(textOf(path)),
      )
    assert.deepEqual(wrong, [])
  })
})
