// Real programs that send datagrams to what only the pod reaches: each says, and exits with, what it does inside of the pod.
import assert from 'node:assert/strict'
import { inPod, inSession } from '../../stage/compared.ts'
import { compile } from '../../stage/compile-programs.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { linesOf } from '../../stage/lines.ts'
import { type Pod, programOf } from '../../stage/pod.ts'
import { type Reaching, startReaching } from '../../stage/reaching.ts'

const mark = markRun()
const servicePort = 9000
/** Besides, as datagrams.c expects. */
const otherPort = 9002
const namesPort = 9053

describe('a program that sends datagrams', () => {
  let reaching: Reaching
  let pod: Pod
  before(async () => {
    const echo = (port: number) => ['python3', programOf('echo-datagrams.py'), '::', String(port)] as const
    reaching = await startReaching(mark.environment, echo(servicePort), {
      async ready({ callers }) {
        const names = ['python3', programOf('answer-names.py'), '::', String(namesPort)] as const
        for (const [program, ...args] of [echo(otherPort), names]) {
          const child = callers.spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
          await linesOf(child.stdout).until('a service listening', line => line === 'listening')
        }
      },
    })
    pod = reaching.pod
  })
  after(async () => {
    await reaching?.end()
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })

  const cases: Record<string, (address: string) => string[]> = {
    'Node dgram': address => [process.execPath, programOf('datagrams.mjs'), address, String(servicePort)],
    'Go net.Dial and ListenUDP': address => [compile('datagrams.go', 'go'), address, String(servicePort)],
    'a static stripped Go client': address => [
      compile('datagrams.go', 'go-static'),
      ...[address, String(servicePort)],
    ],
    'Java DatagramSocket and DatagramChannel': address => [
      ...['java', '-cp', compile('Datagrams.java', 'java'), 'Datagrams'],
      ...[address, String(servicePort)],
    ],
    'C sendmmsg and recvmmsg with glibc': address => [
      compile('datagrams.c', 'c'),
      ...[address, String(servicePort)],
    ],
    'C sendmmsg and recvmmsg with musl, static': address => [
      compile('datagrams.c', 'c-musl'),
      ...[address, String(servicePort)],
    ],
  }
  for (const [name, command] of Object.entries(cases))
    it(`${name}: what it hears, from whom, and a refusal are those of the pod`, async () => {
      for (const family of ['ipv4', 'ipv6'] as const) {
        const address = pod.cable.second[family]
        const ours = await inSession(reaching, command(address))
        const theirs = await inPod(reaching, command(address))
        assert.deepEqual(ours, theirs, family)
        assert.equal(theirs.code, 0, theirs.lines.join('\n'))
      }
    }).timeout(120_000)

  for (const family of ['ipv4', 'ipv6'] as const)
    it(`dig asks a server that only the pod reaches, over ${family}`, async () => {
      const server = pod.cable.second[family]
      const dig = (...question: string[]) =>
        inSession(reaching, ['dig', `@${server}`, '-p', String(namesPort), '+tries=1', '+short', ...question])
      assert.deepEqual(await dig('shop.example', 'A'), { code: 0, lines: ['192.0.2.53'] })
      const asker = pod.cable.first[family]
      assert.deepEqual(await dig('shop.example', 'TXT'), { code: 0, lines: [`"${asker}"`] })
      assert.deepEqual(await dig('none.example', 'A'), { code: 0, lines: [] })
    })
})
