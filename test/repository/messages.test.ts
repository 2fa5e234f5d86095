// Every message of the protocol is whole: handled, tested, documented; and generated files are fresh.
import assert from 'node:assert/strict'
import { messages } from '../../protocol/rpc/messages.ts'
import { generatedFiles } from '../../schemas/generated.ts'
import { handledMethods } from '../../server/rpc/handlers.ts'
import { filesUnder, textOf } from './files.ts'

const tests = filesUnder('test').filter(
  path => path.endsWith('.test.ts') && !path.startsWith('test/repository/'),
)
const testText = tests.map(textOf).join('\n')

describe('every message', () => {
  it('has a handler, when clients send it', () => {
    const sent = messages
      .filter(message => message.direction !== 'serverToClient')
      .map(message => message.method)
    assert.deepEqual(
      sent.filter(method => !handledMethods.includes(method)),
      [],
    )
  })

  it('has no handler that no message declares', () => {
    const declared = messages.map(message => message.method)
    assert.deepEqual(
      handledMethods.filter(method => !declared.includes(method)),
      [],
    )
  })

  it('is named by a test', () => {
    assert.deepEqual(
      messages.map(message => message.method).filter(method => !testText.includes(`'${method}'`)),
      [],
    )
  })

  it('has a section in the generated reference', () => {
    const page = textOf('schemas/rpc.md')
    assert.deepEqual(
      messages.filter(message => !page.includes(`\n## ${message.method}\n`)),
      [],
    )
  })

  it('has a name of its own', () => {
    assert.equal(new Set(messages.map(message => message.method)).size, messages.length)
  })
})

describe('generated files', () => {
  for (const [path, text] of Object.entries(generatedFiles())) {
    it(`are fresh: ${path} ("npm run generate" writes it)`, () => assert.equal(textOf(path), text))
  }
})
