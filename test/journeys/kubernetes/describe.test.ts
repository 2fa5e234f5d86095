// A target of a cluster is described as the session would take it that the configuration makes.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import type { AgentConfig } from '../../../protocol/config.ts'
import { openLog } from '../../../server/log.ts'
import { describe as describeTarget } from '../../../server/targets/describe.ts'
import { ApiStage, answerJson } from './api-stage.ts'

const pod = {
  metadata: { name: 'web', uid: 'u' },
  spec: { nodeName: 'node-1', containers: [{ name: 'app', image: 'app' }] },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
}

describe('describing a target of a cluster with a configuration', () => {
  let stage: ApiStage
  before(() => {
    stage = new ApiStage()
  })
  after(() => stage.authority.remove())
  afterEach(() => stage.clear())

  /** What a session would need by this configuration, as far as it names a permission. */
  async function permissions(agent: AgentConfig): Promise<string[]> {
    const port = await stage.servePlain(
      (request, response) => void answer(request, body => answerJson(response, 200, body)),
    )
    const kubeconfig = join(stage.authority.folder, 'kubeconfig')
    const configFile = join(stage.authority.folder, 'standin.json')
    writeFileSync(kubeconfig, JSON.stringify(kubeconfigOf(port)))
    writeFileSync(configFile, JSON.stringify({ kubeconfig, agent }))
    const question = { signal: AbortSignal.timeout(30_000), log: openLog({ level: 'error' }), tell() {} }
    const { needs } = await describeTarget({ target: 'pod/web', configFile }, question)
    return needs.map(({ what }) => what).filter(what => / in namespace "/.test(what))
  }

  async function answer(request: IncomingMessage, say: (body: object) => void): Promise<void> {
    if (request.url?.endsWith('/pods/web')) say(pod)
    else if (request.url?.includes('selfsubjectaccessreviews')) say({ status: { allowed: true } })
    else say({ metadata: {}, items: [] })
  }

  it("asks for the rights of the agent's namespace", async () => {
    const needs = await permissions({ namespace: 'tools' })
    assert.ok(needs.includes('create jobs.batch in namespace "tools"'), needs.join('\n'))
    assert.ok(!needs.includes('create jobs.batch in namespace "shop"'), needs.join('\n'))
  })

  it('asks for the rights of an ephemeral container', async () => {
    const needs = await permissions({ ephemeral: true })
    assert.ok(needs.includes('patch pods/ephemeralcontainers in namespace "shop"'), needs.join('\n'))
    assert.ok(!needs.some(what => what.includes('jobs')), needs.join('\n'))
  })
})

function kubeconfigOf(port: number): object {
  return {
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'ada', namespace: 'shop' } }],
    clusters: [{ name: 'test', cluster: { server: `http://127.0.0.1:${port}` } }],
    users: [{ name: 'ada', user: { token: 'abc' } }],
  }
}
