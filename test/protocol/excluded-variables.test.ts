// Every variable that is left out by default stands on each page that says so.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { commandTree } from '../../clients/cli/program.ts'
import { excludedVariables } from '../../protocol/excluded-variables.ts'
import { decideEnvironment } from '../../server/sessions/environment.ts'

const names = Object.keys(excludedVariables)

function helpOfExec(): string {
  let page = ''
  const exec = commandTree(() => {}).commands.find(command => command.name() === 'exec')
  exec?.configureOutput({
    writeOut: text => {
      page += text
    },
  })
  exec?.outputHelp()
  return page
}

describe('variables that are left out by default', () => {
  const config = JSON.parse(readFileSync('schemas/config.json', 'utf8'))
  const places = {
    'README.md, under Configuration': /## Configuration[\s\S]*?\n## /.exec(
      readFileSync('README.md', 'utf8'),
    )?.[0],
    'schemas/config.json, of include': config.$defs.EnvFeature.properties.include.description as string,
    'standin help exec': helpOfExec(),
  }
  for (const [place, text] of Object.entries(places))
    it(`are all named in ${place}`, () => {
      const words = new Set((text ?? '').split(/[\s,`]+/))
      assert.deepEqual(
        names.filter(name => !words.has(name)),
        [],
      )
    })

  it('come with the others as the documentation shows it', () => {
    const pod = { PATH: '/bin', HOME: '/root', SHOP_REGION: 'eu' }
    const { set } = decideEnvironment(pod, { include: 'PATH;*' })
    assert.deepEqual(set, { PATH: '/bin', SHOP_REGION: 'eu' })
  })

  it('leave no line of the help page wider than a terminal', () => {
    const wide = helpOfExec()
      .split('\n')
      .filter(line => line.length > 110 && !line.includes('standin '))
    assert.deepEqual(wide, [])
  })
})
