// Names that are asked for by datagram, whatever resolv.conf says: the answers are the pod's, and what is chosen by names is chosen by these too.
import assert from 'node:assert/strict'
import type { SessionConfig } from '../../../protocol/config.ts'
import { inPod, inSession } from '../../stage/compared.ts'
import { compile } from '../../stage/compile-programs.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { startNamedPod, suffix } from '../../stage/named-pod.ts'
import type { Reaching } from '../../stage/reaching.ts'

const mark = markRun()
const lookUp = (...hosts: string[]) => [compile('look-up.c', 'c-musl'), ...hosts]

describe('names that are asked for by datagram', () => {
  let reaching: Reaching
  before(async () => {
    reaching = await startNamedPod(mark.environment)
  })
  after(async () => {
    await reaching?.end()
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })

  const dig = (...question: string[]) => ['dig', '+short', '+tries=1', ...question]
  for (const [what, command] of [
    [
      "musl's resolver finds addresses of both families, by the pod's search list",
      lookUp('web', 'alias', 'none'),
    ],
    ['dig finds addresses', dig(`web.${suffix}`, 'A', `web.${suffix}`, 'AAAA')],
    ['dig finds other records', dig(`web.${suffix}`, 'TXT', `_http._tcp.web.${suffix}`, 'SRV')],
    ['dig asks by connection for what no datagram holds', dig('+noedns', `long.${suffix}`, 'TXT')],
    ['dig hears that a name does not exist', ['dig', '+noall', '+comments', `none.${suffix}`]],
  ] as const)
    it(what, async () => {
      const [ours, theirs] = [await inSession(reaching, [...command]), await inPod(reaching, [...command])]
      const withoutIds = ({ code, lines }: typeof ours) => ({
        code,
        lines: lines.map(line => line.replace(/id: \d+/, 'id')),
      })
      assert.deepEqual(withoutIds(ours), withoutIds(theirs))
      assert.ok(theirs.lines.length > 0)
    })
})

describe('what is chosen by names that were asked for by datagram', () => {
  async function told(network: NonNullable<SessionConfig['feature']>['network'], command: string[]) {
    const own = await startNamedPod(mark.environment, { config: { feature: { network } } })
    try {
      const { lines } = await inSession(own, command)
      return lines.map(line => line.replace(own.pod.cable.second.ipv4, 'WEB')).sort()
    } finally {
      await own.end()
    }
  }

  it('is answered by this machine where the filter says so', async () => {
    const dns = { filter: { local: ['localhost'] } }
    const ask = ['dig', '+short', 'localhost', 'A', `web.${suffix}`, 'A']
    assert.deepEqual(await told({ dns }, ask), ['127.0.0.1', 'WEB'])
  })

  it('stays here where outgoing.filter names it', async () => {
    const outgoing = { filter: { local: [`web.${suffix}`] } }
    assert.deepEqual(await told({ outgoing }, lookUp('web/9000')), ['Network unreachable', 'web: WEB'])
  })
})
