// The command tree, its help pages, and its refusals.
import assert from 'node:assert/strict'
import { commandTree } from '../../../clients/cli/program.ts'

describe('commandTree()', () => {
  const program = commandTree(() => {})

  for (const command of program.commands)
    it(`has an example on the help page of ${command.name()}`, () => {
      let page = ''
      command.configureOutput({
        writeOut: text => {
          page += text
        },
      })
      command.outputHelp()
      assert.match(page, /Examples:\n {2}\S/)
    })

  it('summarises every option in words', () => {
    for (const command of program.commands)
      for (const option of command.options) assert.ok(option.description.length > 5, option.flags)
  })
})
