import assert from 'node:assert/strict'
import { errorTable } from '../../protocol/error-table.ts'
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

describe('the table of errors', () => {
  const rows = Object.entries(errorTable)

  it('keeps the grammar "Cannot <verb> <object>: <state>"', () => {
    const wrong = rows.filter(
      ([, { message }]) => !/^Cannot \S+ .*: .*[^.]$/.test(message) || /\b\w+n't\b/.test(message),
    )
    assert.deepEqual(
      wrong.map(([kind]) => kind),
      [],
    )
  })

  it('gives every row a fix that is a sentence without a full stop', () => {
    const wrong = rows.filter(([, { fix }]) => !/^([A-Z]|\{fix\}$)/.test(fix) || fix.endsWith('.'))
    assert.deepEqual(
      wrong.map(([kind]) => kind),
      [],
    )
  })

  it('gives no two rows the same code or the same text', () => {
    assert.equal(new Set(rows.map(([, row]) => row.code)).size, rows.length)
    assert.equal(new Set(rows.map(([, row]) => row.message)).size, rows.length)
  })

  it('names each of its rows somewhere in the code', () => {
    const code = ['server', 'agent', 'hooks', 'clients', 'protocol']
      .flatMap(filesUnder)
      .filter(path => path !== 'protocol/error-table.ts')
      .map(textOf)
      .join('\n')
    assert.deepEqual(
      rows.map(([kind]) => kind).filter(kind => !code.includes(`'${kind}'`)),
      [],
    )
  })
})
