// What README promises: its commands exist, its configuration is valid, its table is whole, its Role can be read.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { commandTree } from '../../clients/cli/program.ts'
import { decode } from '../../protocol/codec.ts'
import { agentConfig, sessionConfig } from '../../protocol/config.ts'
import { configFaults } from '../../server/sessions/config-faults.ts'

const page = readFileSync('README.md', 'utf8')
const fences = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, text]) => text!)

describe('README.md', () => {
  it('shows commands and options that exist', () => {
    const tree = commandTree(() => {})
    const lines = fences('sh').flatMap(text =>
      [...text.matchAll(/\bnpx standin ([^\n#)]*)/g)].map(([, line]) => line!),
    )
    assert.ok(lines.length > 8)
    for (const line of lines) {
      const [name, ...words] = line.split(' -- ')[0]!.trim().split(/\s+/)
      if (name === 'help') continue
      const command = tree.commands.find(each => each.name() === name)
      assert.ok(command, `standin ${name}`)
      for (const word of words.filter(each => each.startsWith('-')))
        assert.ok(
          command.options.some(({ short, long }) => word === short || word === long),
          `standin ${line}: ${word}`,
        )
    }
  })

  it('shows a configuration that is accepted', () => {
    const [text] = fences('json')
    const config = decode(sessionConfig, JSON.parse(text!))
    assert.ok(config.ok)
    assert.deepEqual(configFaults(config.value), [])
  })

  it('explains every key of the agent', () => {
    const table = page.slice(page.indexOf('| key of `agent`'))
    const keys = Object.keys({ ...agentConfig.required, ...agentConfig.optional })
    assert.deepEqual(
      keys.filter(key => !table.includes(`\`${key}\``)),
      [],
    )
  })

  it('holds one Role, which asks for each verb once', () => {
    const roles = fences('yaml').map(text => parse(text))
    assert.deepEqual(
      roles.map(({ kind }) => kind),
      ['Role'],
    )
    const rules: { apiGroups: string[]; resources: string[]; verbs: string[] }[] = roles[0].rules
    const asked = rules.flatMap(({ apiGroups, resources, verbs }) =>
      resources.flatMap(resource => verbs.map(verb => `${verb} ${apiGroups}/${resource}`)),
    )
    assert.equal(new Set(asked).size, asked.length)
  })
})
