// Names as a process in a session finds them: each resolver says what it says inside of the pod, whose nameserver this machine does not reach.
import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import type { SessionConfig } from '../../../protocol/config.ts'
import { inPod, inSession } from '../../stage/compared.ts'
import { compile } from '../../stage/compile-programs.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { podHostname, startNamedPod, suffix } from '../../stage/named-pod.ts'
import { programOf } from '../../stage/pod.ts'
import type { Reaching } from '../../stage/reaching.ts'

type Feature = NonNullable<SessionConfig['feature']>
const mark = markRun()
const names = ['web', `web.${suffix}`, `four.${suffix}.`, 'alias', 'example.test', 'from-hosts', podHostname]
const missing = ['no-such-name', `no-such-name.${suffix}`, 'no.such.name.test']

describe('a program that looks names up', () => {
  let reaching: Reaching
  before(async () => {
    reaching = await startNamedPod(mark.environment)
  })
  after(async () => {
    await reaching?.end()
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })

  const python = `
import socket, sys
for name in sys.argv[1:]:
    try: print(name, *sorted({found[4][0] for found in socket.getaddrinfo(name, 80)}))
    except OSError as error: print(name, error)
print(socket.gethostname(), socket.gethostbyaddr("10.96.0.20")[0])`
  const cases: Record<string, (asked: string[]) => string[]> = {
    'Python, by getaddrinfo of glibc': asked => ['python3', '-c', python, ...asked],
    'C with glibc': asked => [compile('resolve.c', 'c'), ...asked],
    'C with glibc, static': asked => [compile('resolve.c', 'c-static'), ...asked],
    'a static Go client': asked => [compile('resolve.go', 'go-static'), ...asked],
    'Go with its own resolver': asked => ['env', 'GODEBUG=netdns=go', compile('resolve.go', 'go'), ...asked],
    'Go with cgo': asked => ['env', 'GODEBUG=netdns=cgo', compile('resolve.go', 'go'), ...asked],
    Java: asked => ['java', '-cp', compile('Resolve.java', 'java'), 'Resolve', ...asked],
    'Node, by getaddrinfo and by c-ares': asked => [process.execPath, programOf('resolve.mjs'), ...asked],
    getent: asked => ['sh', '-c', 'for name; do getent ahosts $name || echo $?; done', 'sh', ...asked],
    'dig by TCP': asked => ['dig', '+tcp', '+short', '+search', ...asked],
  }
  for (const [name, command] of Object.entries(cases)) {
    it(`${name}: finds what the pod finds`, async () => {
      const [ours, theirs] = [
        await inSession(reaching, command(names)),
        await inPod(reaching, command(names)),
      ]
      assert.deepEqual(ours, theirs)
      assert.ok(ours.lines.join().includes('10.96.0.20'), ours.lines.join('\n'))
    }).timeout(60_000)
    it(`${name}: says of a name that does not exist what it says in the pod`, async () => {
      const [ours, theirs] = [
        await inSession(reaching, command(missing)),
        await inPod(reaching, command(missing)),
      ]
      assert.deepEqual(ours, theirs)
    }).timeout(60_000)
  }

  it('an answer that no datagram holds comes whole', async () => {
    const code = `
const found = await require('dns').promises.resolveTxt('long.${suffix}')
console.log(found.length, found.flat().join('').length)`
    const command = [process.execPath, '-e', `(async () => {${code}})()`]
    const ours = await inSession(reaching, command)
    assert.deepEqual(ours, { code: 0, lines: ['12 1200'] })
  })

  it('a service is reached by its name', async () => {
    const ours = await inSession(reaching, ['curl', '-sS', '--max-time', '20', '-4', 'http://web:9000/hello'])
    assert.deepEqual(ours, { code: 0, lines: [`/hello from ${reaching.pod.cable.first.ipv4}`] })
  })
})

describe("a program that calls itself by the pod's name", () => {
  // 8080 is the pod's own port, which the program takes the place of; on 8079 the pod has nobody, and on 9001 neither has.
  const code = `
import socket, threading, http.server, urllib.request
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"the program itself")
    def log_message(self, *_): pass
name = socket.gethostname()
for address, port in ((name, 8080), ("", 8079)):
    served = http.server.ThreadingHTTPServer((address, port), Answer)
    threading.Thread(target=served.serve_forever, daemon=True).start()
for port in (8080, 8079, 9001):
    try: print(port, urllib.request.urlopen(f"http://{name}:{port}/", timeout=10).read().decode())
    except OSError as error: print(port, error)`

  it('finds itself where it serves, and the pod elsewhere', async () => {
    const reaching = await startNamedPod(mark.environment)
    try {
      assert.deepEqual(await inSession(reaching, ['python3', '-c', code]), {
        code: 0,
        lines: [
          '8079 the program itself',
          '8080 the program itself',
          '9001 <urlopen error [Errno 111] Connection refused>',
        ],
      })
    } finally {
      await reaching.end()
    }
  })
})

describe('names that stay with this machine', () => {
  const resolve =
    'import os, socket\ntry: print(socket.gethostbyname("web"))\nexcept OSError: print("not found")\nprint(os.uname()[1])'

  for (const [what, feature, lines] of [
    ['without feature.network.dns', { network: { dns: false } }, ['not found', podHostname]],
    ['without outgoing connections', { network: { outgoing: false } }, ['not found', podHostname]],
    ['without feature.hostname', { hostname: false }, ['the address', hostname()]],
  ] as const)
    it(what, async () => {
      const reaching = await startNamedPod(mark.environment, { config: { feature } })
      try {
        const address = reaching.pod.cable.second.ipv4
        const expected = lines.map(line => (line === 'the address' ? address : line)).sort()
        const ended = await inSession(reaching, ['python3', '-c', resolve])
        assert.deepEqual(ended, { code: 0, lines: expected })
      } finally {
        await reaching.end()
      }
    })

  for (const nameserver of ['absent', 'silent'] as const)
    it(`a nameserver that is ${nameserver} is not made up for by this machine, and the program hears what it hears in the pod`, async () => {
      const reaching = await startNamedPod(mark.environment, { options: 'timeout:1 attempts:1', nameserver })
      try {
        const looked = 'socket.gethostbyname("web")'
        const code = `import socket\ntry: ${looked}\nexcept OSError as error: print(error)`
        const command = ['python3', '-c', code]
        assert.deepEqual(await inSession(reaching, command), await inPod(reaching, command))
      } finally {
        await reaching.end()
      }
    }).timeout(60_000)
})

describe('names that are chosen', () => {
  const ask = ['dig', '+tcp', '+short', 'localhost', `web.${suffix}`]
  const call = (host: string) => [
    'python3',
    '-c',
    'import socket, sys, urllib.request\ntry: print(urllib.request.urlopen(sys.argv[1]).read().decode())\nexcept OSError as error: print(error)',
    `http://${host}:9000/hello`,
  ]

  async function told(feature: Feature, command: string[]): Promise<string[]> {
    const reaching = await startNamedPod(mark.environment, { config: { feature } })
    try {
      const { lines } = await inSession(reaching, command)
      const { first, second } = reaching.pod.cable
      return lines
        .map(line =>
          line
            .replaceAll(second.ipv4, 'WEB')
            .replaceAll(second.ipv6, 'WEB6')
            .replace(first.ipv4, 'POD')
            .replace(first.ipv6, 'POD'),
        )
        .sort()
    } finally {
      await reaching.end()
    }
  }

  it('those of the filter are looked up by this machine, the others in the pod', async () => {
    const dns = { filter: { local: ['localhost'] } }
    assert.deepEqual(await told({ network: { dns } }, ask), ['127.0.0.1', 'WEB'])
  })

  it('or the other way round', async () => {
    const dns = { filter: { remote: 'example.test' } }
    assert.deepEqual(await told({ network: { dns } }, ask), ['127.0.0.1'])
  })

  const unreachable = '<urlopen error [Errno 101] Network is unreachable>'
  for (const [side, entry, expected] of [
    ['remote', 'web:9000', '/hello from POD'],
    ['remote', 'four', unreachable],
    ['local', `web.${suffix}`, unreachable],
    ['local', 'web:9001', '/hello from POD'],
  ] as const)
    it(`outgoing.filter.${side} with "${entry}" stands for the addresses that its name has in the pod`, async () => {
      const outgoing = { filter: { [side]: [entry] } }
      assert.deepEqual(await told({ network: { outgoing } }, call('web')), [expected])
    })

  it('a name of the pod’s hosts file is one of them', async () => {
    const outgoing = { filter: { local: ['from-hosts'] } }
    const lines = await told({ network: { outgoing } }, call('from-hosts'))
    assert.deepEqual(lines, [unreachable])
  })
})
