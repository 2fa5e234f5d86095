import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { textOf } from './files.ts'

const pages = ['ARCHITECTURE.md', 'CONTRIBUTING.md', 'README.md']
const roomPath = /(?<![\w./-])((?:server|protocol|agent|hooks|clients|test|schemas)\/[\w./*-]*\w)/g

describe('the pages', () => {
  for (const page of pages) {
    it(`name only paths that exist: ${page}`, () => {
      const named = [...textOf(page).matchAll(roomPath)].map(match => match[1]!)
      assert.deepEqual(
        named.filter(path => !path.includes('*') && !existsSync(path) && !existsSync(`${path}.ts`)),
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
})
