// What a cluster would refuse, asked beforehand, and what is not known.
import assert from 'node:assert/strict'
import type { V1Pod } from '@kubernetes/client-node'
import type { AgentConfig } from '../../../../protocol/config.ts'
import { Failure } from '../../../../protocol/errors.ts'
import { type Api, type ApiRequest, StatusError } from '../../../../server/kubernetes/client/api.ts'
import { admissionNeeds, decideRefusal } from '../../../../server/kubernetes/targets/admission.ts'
import { permissionNeed } from '../../../../server/kubernetes/targets/needs.ts'

const asks = { verb: 'create', resource: 'jobs.batch', namespace: 'shop' }
const pod: V1Pod = { metadata: { name: 'web', uid: 'u' }, spec: { nodeName: 'node-1', containers: [] } }
const chosen = { pod, container: { name: 'app', id: 'c1' }, how: 'only' as const }
const forbidden = new Failure('cluster-forbidden', { verb: 'get', resource: 'namespaces', where: '' })

type Answers = { jobs?: object; pods?: object; patch?: object; namespace?: object; mayCreatePods?: boolean }

/** A cluster that answers so; what is an Error is thrown. `asked` are paths of what would have been made. */
function cluster({
  jobs = {},
  pods = {},
  patch = {},
  namespace = forbidden,
  mayCreatePods = false,
}: Answers) {
  const asked: string[] = []
  const api = {
    async request({ path, method = 'GET', query }: ApiRequest) {
      const review = path.endsWith('selfsubjectaccessreviews')
      if (method !== 'GET' && !review) {
        assert.equal(query?.dryRun, 'All', `${method} ${path} makes something`)
        asked.push(`${method} ${path}`)
      }
      const answer = review
        ? { status: { allowed: mayCreatePods } }
        : path.endsWith('/jobs')
          ? jobs
          : path.endsWith('/ephemeralcontainers')
            ? patch
            : path.endsWith('/pods')
              ? pods
              : namespace
      if (answer instanceof Error) throw answer
      return answer
    },
  } as unknown as Api
  return { api, asked }
}

function needs(answers: Answers, agent: AgentConfig = {}, mayMake = true) {
  const { api, asked } = cluster(answers)
  const of = { chosen, namespace: 'shop', agent, mayMake, signal: new AbortController().signal }
  return admissionNeeds(api, of).then(found => ({ found, asked }))
}
const enforcing = (level: string) => ({
  metadata: { labels: { 'pod-security.kubernetes.io/enforce': level } },
})
const violates = new StatusError(
  403,
  'Forbidden',
  'pods "x" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostPID=true)',
  asks,
)

describe('admissionNeeds()', () => {
  it('are known when a dry run of the Job and one of its pod are let by', async () => {
    const { found, asked } = await needs({ mayCreatePods: true })
    assert.deepEqual(
      found.map(({ granted }) => granted),
      [true, true],
    )
    assert.deepEqual(asked, ['POST /apis/batch/v1/namespaces/shop/jobs', 'POST /api/v1/namespaces/shop/pods'])
  })

  it('tell what refuses the pod, with the choice that would pass', async () => {
    const [job, refused] = (await needs({ mayCreatePods: true, pods: violates })).found
    assert.equal(job?.granted, true)
    assert.equal(refused?.granted, false)
    assert.equal(refused?.unknown, undefined)
    assert.match(refused?.fix ?? '', /violates PodSecurity "baseline:latest".*Set agent\.namespace/)
  })

  it('tell a quota that is full', async () => {
    const full = new StatusError(403, 'Forbidden', 'jobs.batch "x" is forbidden: exceeded quota: small', asks)
    const [job] = (await needs({ jobs: full })).found
    assert.equal(job?.granted, false)
    assert.match(job?.fix ?? '', /exceeded quota: small/)
  })

  it("look at the namespace's level where the user may make no pod, and say so where that is not known either", async () => {
    const strict = (await needs({ namespace: enforcing('restricted') })).found.at(-1)
    assert.deepEqual([strict?.granted, strict?.unknown], [false, undefined])
    const lax = (await needs({ namespace: enforcing('privileged') })).found.at(-1)
    assert.equal(lax?.granted, true)
    const hidden = (await needs({})).found.at(-1)
    assert.equal(hidden?.granted, false)
    assert.equal(hidden?.unknown, 'you may not read namespace "shop", nor make a dry run of its pods')
  })

  it('without a target are what Pod Security "restricted" admits, where no dry run of the pod may be made', async () => {
    const of = { chosen: undefined, targetless: true, namespace: 'shop', mayMake: true }
    const ask = (agent: AgentConfig, answers: Answers) =>
      admissionNeeds(cluster(answers).api, { ...of, agent, signal: new AbortController().signal })
    const [job, security] = await ask({}, { namespace: enforcing('restricted') })
    assert.deepEqual([job?.granted, security?.granted], [true, true])
    assert.equal(security?.what, 'Pod Security level "restricted" in namespace "shop"')
    const own = (await ask({ security_context: { runAsUser: 0 } }, {})).at(-1)
    assert.deepEqual([own?.granted, own?.unknown !== undefined], [false, true])
    const refused = (await ask({ security_context: {} }, { mayCreatePods: true, pods: violates })).at(-1)
    assert.match(refused?.fix ?? '', /Leave agent\.security_context out/)
  })

  it('of an ephemeral container come from a dry run of the change to the pod', async () => {
    const { found, asked } = await needs({ patch: violates }, { ephemeral: true })
    assert.deepEqual(asked, ['PATCH /api/v1/namespaces/shop/pods/web/ephemeralcontainers'])
    assert.equal(found.length, 1)
    assert.equal(found[0]?.granted, false)
  })

  it('try to make nothing that the user may not make', async () => {
    assert.deepEqual((await needs({}, {}, false)).asked, [])
  })
})

describe('decideRefusal()', () => {
  const unknownOf = (thrown: unknown) => decideRefusal(thrown, 'admission', { asks }).unknown
  it('knows nothing where a webhook can make no dry run, or is down, or the cluster fails', () => {
    const webhook = 'admission webhook "w.shop" does not support dry run'
    assert.match(
      unknownOf(new StatusError(400, 'BadRequest', webhook, asks)) ?? '',
      /does not support dry run/,
    )
    const down = {
      verb: 'create',
      resource: 'jobs.batch',
      where: '',
      status: 500,
      reason: 'failed calling webhook',
    }
    assert.match(unknownOf(new Failure('cluster-failed', down)) ?? '', /failed calling webhook/)
  })
})

describe('permissionNeed()', () => {
  const right = { verb: 'create', group: 'batch', resource: 'jobs', namespace: 'shop' }
  it('is there, is missing with its fix, or is not known', () => {
    assert.deepEqual(permissionNeed(right, true), {
      what: 'create jobs.batch in namespace "shop"',
      granted: true,
    })
    assert.match(permissionNeed(right, false).fix ?? '', /^Ask for a Role with verb "create"/)
    const { granted, unknown } = permissionNeed(right, undefined)
    assert.equal(granted, false)
    assert.match(unknown ?? '', /^the cluster does not say/)
  })
})
