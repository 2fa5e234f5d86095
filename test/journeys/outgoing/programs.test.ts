// Real programs that connect to what only the pod reaches: each says, and exits with, what it does inside of the pod.
import assert from 'node:assert/strict'
import { inPod, inSession } from '../../stage/compared.ts'
import { compile } from '../../stage/compile-programs.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { type Pod, programOf } from '../../stage/pod.ts'
import { type Reaching, startReaching } from '../../stage/reaching.ts'

const mark = markRun()
const servicePort = 9000

describe('a program that connects', () => {
  let reaching: Reaching
  let pod: Pod
  before(async () => {
    reaching = await startReaching(mark.environment, [
      process.execPath,
      programOf('http-service.mjs'),
      String(servicePort),
    ])
    pod = reaching.pod
  })
  after(async () => {
    await reaching?.end()
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })

  const urls = (address: string) => ({
    answered: `http://${address}:${servicePort}/hello`,
    refused: `http://${address}:${servicePort + 1}/`,
    unreachable: 'http://192.0.2.1/',
  })

  const fetchIt = `
const told = error => error.cause?.code ?? error.code ?? error.message
for (const url of process.argv.slice(1))
  await fetch(url).then(answer => answer.text()).then(console.log, error => console.log(told(error)))`
  const openIt = `
import sys, urllib.request
for url in sys.argv[1:]:
    try:
        print(urllib.request.urlopen(url).read().decode())
    except OSError as error:
        print(error)`
  const cases: Record<string, (url: string) => string[]> = {
    'curl over HTTP/1.1': url => ['curl', '-sS', '--max-time', '20', url],
    'Node fetch': url => [process.execPath, '--input-type=module', '-e', fetchIt, url],
    'Python urllib': url => ['python3', '-c', openIt, url],
    'a static stripped Go client with 50 goroutines': url => [compile('fetch.go', 'go-static'), url],
    'a dynamic Go client': url => [compile('fetch.go', 'go'), url],
    'Java HttpClient': url => ['java', '-cp', compile('Fetch.java', 'java'), 'Fetch', url],
    'C with glibc': url => [compile('fetch.c', 'c'), url],
    'C with musl, static': url => [compile('fetch.c', 'c-musl'), url],
    'bash through /dev/tcp': url => {
      const { hostname, port } = new URL(url)
      return ['bash', '-c', `exec 3<>/dev/tcp/${hostname}/${port || 80} && echo connected`]
    },
  }
  for (const [name, command] of Object.entries(cases))
    it(`${name}: an answer, a refusal and a network that is not there are those of the pod`, async () => {
      for (const family of ['ipv4', 'ipv6'] as const) {
        const address = pod.cable.second[family]
        for (const [what, url] of Object.entries(urls(family === 'ipv6' ? `[${address}]` : address))) {
          const [ours, theirs] = [
            await inSession(reaching, command(url)),
            await inPod(reaching, command(url)),
          ]
          assert.deepEqual(ours, theirs, `${family} ${what}`)
        }
      }
    }).timeout(120_000)

  it('each child of a program that forks connects by itself', async () => {
    const script = `
import os, socket, sys
for number in range(20):
    if os.fork() == 0:
        made = socket.create_connection((sys.argv[1], int(sys.argv[2])), 20)
        made.sendall(b"GET /%d HTTP/1.0\\r\\n\\r\\n" % number)
        os.write(1, made.makefile().read().splitlines()[-1].encode() + b"\\n")
        os._exit(0)
for _ in range(20):
    os.wait()`
    const { code, lines } = await inSession(reaching, [
      'python3',
      '-c',
      script,
      pod.cable.second.ipv4,
      String(servicePort),
    ])
    assert.equal(code, 0, lines.join())
    const expected = Array.from({ length: 20 }, (_, number) => `/${number} from ${pod.cable.first.ipv4}`)
    assert.deepEqual(lines, expected.sort())
  })
})
