// A kernel that cannot capture, as a filter of system calls plays it: the agent names what is missing.
import assert from 'node:assert/strict'
import { constants } from 'node:os'
import { askAgent, attachAgent, killAgents, type LinkedAgent } from '../stage/agent-program.ts'
import { type SmallTarget, startSmallTarget } from '../stage/small-target.ts'

type Need = { what: string; granted: boolean; fix?: string }

const port = 8080
const numbers = process.arch === 'arm64' ? { socket: 198, setsockopt: 208 } : { socket: 41, setsockopt: 54 }
/** The errors of a kernel that was built without CONFIG_PACKET, and of one before 3.2: AF_PACKET is 17, SOL_PACKET 263, PACKET_VERSION 10. */
const kernels = [
  {
    name: 'packet sockets',
    call: `${numbers.socket}:0=17`,
    errno: 'EAFNOSUPPORT',
    feature: 'packet sockets (AF_PACKET, CONFIG_PACKET)',
    since: 'Linux 2.2',
  },
  {
    name: 'rings of the third version',
    call: `${numbers.setsockopt}:1=263,2=10`,
    errno: 'EINVAL',
    feature: 'packet rings (TPACKET_V3)',
    since: 'Linux 3.2',
  },
] as const

describe('the agent on a kernel without', () => {
  let target: SmallTarget
  before(async () => {
    target = await startSmallTarget(port)
  })
  after(() => target.end())
  afterEach(killAgents)

  for (const { name, call, errno, feature, since } of kernels) {
    const through = ['python3', 'test/stage/without-call.py', call, String(numberOf(errno))]

    it(`${name} attaches, and refuses to capture with the feature and its version`, async () => {
      const agent: LinkedAgent = await attachAgent(target.name, { through })
      const { kind, values } = await agent.fail({ ask: 'subscribe', ports: [port], answers: 'none' })
      assert.equal(kind, 'kernel-feature-missing')
      assert.deepEqual([values.feature, values.since], [feature, since])
      await agent.end()
    })

    it(`${name} says so when the target is described`, async () => {
      const { lines } = await askAgent(['describe', target.name], through)
      const needs = lines.flatMap(({ description }) => (description as { needs: Need[] }).needs)
      const capture = needs.find(({ what }) => what === 'capture packets there')
      assert.equal(capture?.granted, false, JSON.stringify(lines))
      assert.match(capture?.fix ?? '', new RegExp(`Linux 3\\.2: this one answered ${errno}$`))
    })
  }
})

function numberOf(name: 'EAFNOSUPPORT' | 'EINVAL'): number {
  return constants.errno[name]
}
