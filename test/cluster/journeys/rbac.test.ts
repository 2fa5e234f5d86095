// The Role of README: enough for a session, and each part of it needed for what its loss is said to cost.
import assert from 'node:assert/strict'
import { several } from '../../stage/callers.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import {
  type Permission,
  permissionsOf,
  permissionText,
  roleOfReadme,
  rulesWithout,
} from '../stage/session-role.ts'
import { clusterEnvironment, StandinRuns } from '../stage/session-run.ts'
import { type Shop, startShop } from '../stage/session-shop.ts'
import { untilNoAgents } from '../stage/session-stand.ts'
import { type Rule, userWith } from '../stage/users.ts'

/** Kinds of targets that this test does not use: their rules are for other targets. */
const otherKinds = /^(statefulsets|daemonsets|cronjobs|services|rollouts)$/

describe("the Role of README's page", () => {
  const mark = markRun()
  const runs = new StandinRuns(clusterEnvironment(mark.environment))
  const role = roleOfReadme()
  let shop: Shop
  before(async () => {
    shop = await startShop('rbac')
  })
  after(() => shop?.end())
  afterEach(async () => {
    await runs.end()
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })

  async function execWith(rules: readonly Rule[]): Promise<{ code: number | null; said: string }> {
    const user = await userWith({ namespace: shop.namespace, rules })
    try {
      const run = runs.exec(shop, ['true'], { environment: { KUBECONFIG: user.kubeconfig } })
      return { code: await run.code, said: run.stderr.all.join('\n') }
    } finally {
      await user.remove()
    }
  }

  it('is enough for standin exec, without a warning', async () => {
    const { code, said } = await execWith(role)
    assert.equal(code, 0, said)
    assert.doesNotMatch(said, /forbidden|403|permission/i)
    await untilNoAgents(shop.namespace)
  })

  it('is needed: each verb that is missing is named with its resource', async () => {
    const unnamed: string[] = []
    const needed = permissionsOf(role).filter(({ resource }) => !otherKinds.test(resource))
    await several(needed.length, 3, async index => {
      const permission = needed[index] as Permission
      const { code, said } = await execWith(rulesWithout(role, permission))
      const [verb, resource] = permissionText(permission).split(' ') as [string, string]
      const named = said
        .split('\n')
        .some(line => new RegExp(`\\b${verb}\\b`).test(line) && line.includes(resource))
      const outcome = `without "${permissionText(permission)}" (code ${code}): ${said}`
      if (process.env.STANDIN_TEST_LOG) console.log(outcome)
      if (!named) unnamed.push(outcome)
    })
    assert.equal(unnamed.join('\n\n'), '')
  }).timeout(300_000)
})
