// The Role of README: enough for every command and every kind of target, and each verb of it needed by one that names it when it is missing.
import assert from 'node:assert/strict'
import { several } from '../../stage/callers.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { allKinds, makeAllKinds } from '../stage/all-kinds.ts'
import { freshNamespace, kubectl } from '../stage/kubectl.ts'
import {
  type Permission,
  permissionsOf,
  permissionText,
  roleOfReadme,
  rulesWithout,
} from '../stage/session-role.ts'
import { clusterEnvironment, StandinRuns } from '../stage/session-run.ts'
import { untilNoAgents } from '../stage/session-stand.ts'
import { type Rule, userWith } from '../stage/users.ts'

const kinds: Readonly<Record<string, string>> = Object.fromEntries(
  Object.keys(allKinds).map(kind => [`${kind}s`, kind]),
)
const targets = Object.entries(allKinds).map(([kind, name]) => `${kind}/${name}`)
const exec = (target: string, ...args: string[]) => ['exec', '-t', target, ...args, '--', 'true']

/** A command that cannot do without the permission, and its exit code when it has to. */
function commandThatNeeds({ verb, resource }: Permission): { command: string[]; code: number } {
  const kind = kinds[resource]
  if (kind !== undefined && verb === 'get')
    return { command: exec(`${kind}/${allKinds[kind as keyof typeof allKinds]}`), code: 125 }
  if (kind !== undefined && verb === 'list' && kind !== 'pod')
    return { command: ['ls', '--kind', kind], code: 1 }
  return { command: exec('deployment/web'), code: 125 }
}

describe("the Role of README's page", () => {
  const mark = markRun()
  const runs = new StandinRuns(clusterEnvironment(mark.environment))
  const role = roleOfReadme()
  let namespace: string
  let remove: () => Promise<void>
  let made: { remove(): Promise<void> } | undefined
  before(async () => {
    ;({ name: namespace, remove } = await freshNamespace('rbac'))
    made = await makeAllKinds(namespace)
  })
  after(async () => {
    await made?.remove()
    await remove?.()
  })
  afterEach(async () => {
    await runs.end()
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })

  type Said = { code: number | null; stdout: string[]; stderr: string[] }
  async function withRules(
    rules: readonly Rule[],
    work: (run: (command: string[]) => Promise<Said>) => Promise<void>,
  ): Promise<void> {
    const user = await userWith({ namespace, rules })
    try {
      await work(async command => {
        const run = runs.start(command, { environment: { KUBECONFIG: user.kubeconfig } })
        return { code: await run.code, stdout: [...run.stdout.all], stderr: [...run.stderr.all] }
      })
    } finally {
      await user.remove()
    }
  }
  const missing = (permission: Permission) =>
    `Cannot ${permissionText(permission)} in namespace "${namespace}": 403, the permission is missing`

  it('is enough for standin exec with a target of every kind, ls, describe and clean, without a warning', async () => {
    await withRules(role, async run => {
      const commands = [
        ...targets.map(target => exec(target)),
        exec('label/app=web'),
        exec('single'),
        ['describe', 'rollout/canary'],
        ['ls'],
        ['clean'],
      ]
      await several(commands.length, 3, async index => {
        const command = commands[index]!
        const { code, stderr } = await run(command)
        const said = `${command.join(' ')}: ${stderr.join('\n')}`
        assert.equal(code, 0, said)
        assert.doesNotMatch(said, /forbidden|403|permission/i)
      })
    })
    await untilNoAgents(namespace)
  }).timeout(240_000)

  it('is needed: a command that needs a verb fails without it, names verb and resource, and makes nothing', async () => {
    const wrong: string[] = []
    // A user who may not read rollouts is told the same as where the cluster has none, until discovery has heard of a new kind.
    const all = permissionsOf(role).filter(permission => !permissionText(permission).includes('rollouts'))
    assert.ok(all.length >= 20, `${all.length} verbs`)
    await several(all.length, 3, async index => {
      const permission = all[index]!
      const { command, code: expected } = commandThatNeeds(permission)
      await withRules(rulesWithout(role, permission), async run => {
        const { code, stderr } = await run(command)
        const named = stderr.some(line => line === `standin: ${missing(permission)}`)
        if (code === expected && named) return
        wrong.push(
          `without "${permissionText(permission)}", ${command.join(' ')} (code ${code}): ${stderr.join('\n')}`,
        )
      })
    })
    assert.equal(wrong.join('\n\n'), '')
    assert.equal(
      await kubectl([
        '-n',
        namespace,
        'get',
        'jobs',
        '-l',
        'app.kubernetes.io/managed-by=standin',
        '-o',
        'name',
      ]),
      '',
    )
  }).timeout(240_000)

  it('without the verbs of some kinds is still of use: ls lists the others and names what it may not, describe says what is missing', async () => {
    const list = { group: 'apps', resource: 'statefulsets', verb: 'list' }
    const watch = { group: '', resource: 'events', verb: 'watch' }
    const rules = rulesWithout(rulesWithout(role, list), watch)
    await withRules(rules, async run => {
      const listed = await run(['ls'])
      assert.equal(listed.code, 0)
      assert.ok(
        listed.stderr.some(line => line.includes(missing(list))),
        listed.stderr.join('\n'),
      )
      const names = listed.stdout.map(line => line.split(' ')[0])
      assert.deepEqual([names.includes('deployment/web'), names.includes('statefulset/db')], [true, false])
      const { stdout } = await run(['describe', 'deployment/web'])
      const lacking = stdout.filter(line => /^ +NO /.test(line))
      assert.deepEqual([lacking.length, lacking[0]?.includes('watch events')], [1, true], stdout.join('\n'))
    })
  })

  it('is not needed for jobs with an ephemeral container, which asks for one verb in their place', async () => {
    const ephemeral = { group: '', resource: 'pods/ephemeralcontainers', verb: 'patch' }
    const rest = role.filter(({ resources }) => !resources.includes('jobs'))
    const command = exec('pod/single', '--ephemeral')
    await withRules(rest, async run => {
      const { code, stderr } = await run(command)
      assert.equal(code, 125)
      assert.ok(stderr.includes(`standin: ${missing(ephemeral)}`), stderr.join('\n'))
    })
    const rule = { apiGroups: [''], resources: [ephemeral.resource], verbs: ['patch'] }
    await withRules([...rest, rule], async run => {
      const { code, stderr } = await run(command)
      assert.equal(code, 0, stderr.join('\n'))
    })
  })
})
