// Real clients of real servers in a cluster: in a session each says, and exits with, what the same program does inside of the pod.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TypeOf } from 'io-ts'
import { startSession, stopSession } from '../../../protocol/rpc/sessions.ts'
import { type Backend, startBackend } from '../../stage/backend.ts'
import { compile, compileCrate } from '../../stage/compile-programs.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { programOf } from '../../stage/pod.ts'
import { type Ended, environmentOf, inPod, inSession, processOfPod } from '../stage/in-pod.ts'
import { freshNamespace, kubectl } from '../stage/kubectl.ts'
import { type Laptop, startLaptop } from '../stage/session-laptop.ts'
import { clusterEnvironment, configIn } from '../stage/session-run.ts'
import { untilNoAgents } from '../stage/session-stand.ts'
import { silentPort, startSilent } from '../stage/silent.ts'

const namespace = 'shop'
const closedPort = 81

type Place = { host: string; port: number; seconds: number }
type Row = {
  /** Name and port of the service that answers. */
  service: [host: string, port: number]
  command(place: Place): string[]
  /** What must be in the output, so that two programs that fail alike do not pass. */
  told: { answer: RegExp; refusal: RegExp; missing: RegExp; silence: RegExp }
  environment?: Record<string, string>
}

const url = ({ host, port }: Place, path = '/asked/journey', scheme = 'http') =>
  `${scheme}://${host}:${port}${path}`
const python = (file: string, ...words: string[]) => ['/usr/bin/python3', programOf(file), ...words]
const node = (file: string, ...words: string[]) => [process.execPath, programOf(file), ...words]
const within = (seconds: number, ...command: string[]) => ['timeout', String(seconds), ...command]
const refused = /Connection refused|ECONNREFUSED/
const unknown = /Name or service not known|ENOTFOUND|could not translate host name/
const web = /GET \/asked\/journey by HTTP\/1.\d from 10\.88\./

const folder = mkdtempSync(join(tmpdir(), 'standin-journey-'))
const certificate = join(folder, 'web.crt')
const recipes = (place: Place) => url(place, '/recipes.git', 'https')

const rows: Record<string, Row> = {
  psql: {
    service: ['db', 5432],
    command: ({ host, port, seconds }) => [
      ...['psql', `host=${host} port=${port} user=shop dbname=shop connect_timeout=${seconds}`, '-At'],
      ...['-c', 'select 41 + 1', '-c', "select repeat('x', 100000)", '-c', 'select nothing'],
    ],
    told: { answer: /^42$/m, refusal: refused, missing: unknown, silence: /timeout expired/ },
  },
  'redis-cli': {
    service: ['cache', 6379],
    command: ({ host, port, seconds }) =>
      within(seconds, 'redis-cli', '-h', host, '-p', String(port), 'ECHO', 'journey'),
    told: { answer: /^journey$/m, refusal: refused, missing: unknown, silence: /^124$/m },
  },
  'curl over HTTP/1.1': {
    service: ['web', 80],
    command: place => curl(place, url(place)),
    told: {
      answer: web,
      refusal: /connect to server/,
      missing: /not resolve host/,
      silence: /Timeout was reached/,
    },
  },
  'curl over HTTP/2 and TLS': {
    service: ['web', 443],
    command: place => [
      ...curl(place, url(place, '/asked/journey', 'https')),
      '--cacert',
      certificate,
      '--http2',
    ],
    told: {
      ...{
        answer: /GET \/asked\/journey by HTTP\/2.0 from 10\.88\./,
        refusal: /connect to server/,
        missing: /not resolve host/,
      },
      silence: /Timeout was reached/,
    },
  },
  'Python requests': {
    service: ['web', 80],
    command: place => python('requests-get.py', String(place.seconds), url(place)),
    told: { answer: web, refusal: refused, missing: unknown, silence: /ConnectTimeout/ },
  },
  'Python asyncio': {
    service: ['web', 80],
    command: place => python('asyncio-get.py', String(place.seconds), url(place)),
    told: {
      ...{
        answer: /^20 times GET \/asked.* from 10\.88\./m,
        refusal: /^20 times ConnectionRefused/m,
        missing: unknown,
      },
      silence: /^20 times TimeoutError/m,
    },
  },
  'Node fetch': {
    service: ['web', 80],
    command: place => node('fetch-from.mjs', 'fetch', String(place.seconds * 1000), url(place)),
    told: { answer: web, refusal: refused, missing: unknown, silence: /TimeoutError/ },
  },
  undici: {
    service: ['web', 80],
    command: place => node('fetch-from.mjs', 'undici', String(place.seconds * 1000), url(place)),
    told: { answer: web, refusal: refused, missing: unknown, silence: /TimeoutError/ },
  },
  'undici with requests in a pipeline over TLS': {
    service: ['web', 443],
    command: place =>
      node(
        'fetch-from.mjs',
        'pipelined',
        String(place.seconds * 1000),
        url(place, '/asked/journey', 'https'),
      ),
    told: {
      answer: /GET \/asked\/journey\/9 by/,
      refusal: refused,
      missing: unknown,
      silence: /TimeoutError/,
    },
    environment: { NODE_EXTRA_CA_CERTS: certificate },
  },
  pg: {
    service: ['db', 5432],
    command: ({ host, port, seconds }) => node('pg-query.mjs', host, String(port), String(seconds * 1000)),
    told: { answer: /^42 43 44 45 46$/m, refusal: refused, missing: unknown, silence: /timeout/ },
  },
  'Java HttpClient': {
    service: ['web', 80],
    command: place =>
      within(place.seconds + 3, 'java', '-cp', compile('Fetch.java', 'java'), 'Fetch', url(place)),
    told: { answer: web, refusal: /ConnectException/, missing: /UnresolvedAddress/, silence: /^124$/m },
  },
  JDBC: {
    service: ['db', 5432],
    command: ({ host, port, seconds }) => [
      ...['java', '-cp', `${compile('Query.java', 'java')}:/usr/share/java/postgresql.jar`, 'Query'],
      `jdbc:postgresql://${host}:${port}/shop?user=shop&connectTimeout=${seconds}`,
    ],
    told: { answer: /^42$/m, refusal: refused, missing: /UnknownHost/, silence: /SocketTimeout/ },
  },
  'a static stripped Go client with 50 goroutines': {
    service: ['web', 80],
    command: place => within(place.seconds + 1, compile('fetch.go', 'go-static'), url(place)),
    told: {
      ...{ answer: /^50 times GET \/asked.* from 10\.88\./m, refusal: /^50 times connection refused/m },
      ...{ missing: /^50 times .*no such host/m, silence: /^124$/m },
    },
  },
  'a Rust client of tokio with 50 tasks': {
    service: ['web', 80],
    command: place => [compileCrate('tokio'), url(place), String(place.seconds * 1000)],
    told: {
      ...{ answer: /^50 times GET \/asked.* from 10\.88\./m, refusal: /^50 times Connection refused/m },
      ...{ missing: /^50 times .*not known/m, silence: /^50 times deadline/m },
    },
  },
  'a static client of musl': {
    service: ['web', 80],
    command: ({ host, port, seconds }) =>
      within(seconds + 1, compile('fetch-by-name.c', 'c-musl'), host, String(port), '/asked/journey'),
    told: { answer: web, refusal: refused, missing: /^Name does not resolve$/m, silence: /^124$/m },
  },
  'git over HTTPS': {
    service: ['web', 443],
    // Into a folder of its own each time, since the same command runs twice.
    command: place => [
      ...within(place.seconds + 3, 'sh', '-c'),
      'cd "$(mktemp -d -p "$1")" && git clone --quiet "$2" got && cat got/bread.txt',
      ...['sh', folder, recipes(place)],
    ],
    told: {
      ...{ answer: /^Bread: flour/m, refusal: /connect to server|Failed to connect/ },
      ...{ missing: /not resolve host/, silence: /^124$/m },
    },
    environment: { GIT_SSL_CAINFO: certificate, GIT_TERMINAL_PROMPT: '0' },
  },
  'a gRPC client': {
    service: ['stock', 50051],
    command: ({ host, port, seconds }) => python('grpc-client.py', `${host}:${port}`, String(seconds + 3)),
    told: {
      answer: /^7 of bread\n.*NOT_FOUND There is no such thing\n.*'3 of bread'.*\n.*7 of salt/m,
      ...{ refusal: /UNAVAILABLE .*refused/, missing: /UNAVAILABLE/, silence: /DEADLINE_EXCEEDED/ },
    },
  },
  'a client of NATS': {
    service: ['queue', 4222],
    command: ({ host, port, seconds }) => python('nats-client.py', host, String(port), String(seconds)),
    told: {
      ...{ answer: /^INFO\nMSG True 5 bread\nMSG True 200000 x+\nPONG/m, refusal: refused },
      ...{ missing: unknown, silence: /TimeoutError/ },
    },
  },
  'a program that forks, and each child connects': {
    service: ['web', 80],
    command: ({ host, port, seconds }) =>
      within(seconds + 3, ...python('fork-connect.py', host, String(port))),
    told: {
      answer: /^19 GET \/asked.* from 10\.88\./m,
      refusal: /^19 .*refused/m,
      missing: /^19 .*not known/m,
      silence: /^124$/m,
    },
  },
}

function curl({ seconds }: Place, address: string): string[] {
  const form = '%{http_version} %{exitcode} %{remote_port}\n'
  return ['curl', '-sS', '--connect-timeout', String(seconds), '-w', `HTTP/${form}`, address]
}

/** Without what differs from run to run in the pod too: times, addresses in memory, and which of two questions gRPC hears of last. */
function lasting({ code, stdout, stderr }: Ended): Ended {
  const still = (line: string): string =>
    line
      .replace(/\d+ (ms|milliseconds)/g, '0 ms')
      .replace(/0x[\da-f]+/g, '0x0')
      .replace(/qtype=A+/, 'qtype=A')
  return { code, stdout: stdout.map(still), stderr: stderr.map(still) }
}

describe('a client of a server in the cluster', () => {
  const mark = markRun()
  const base = clusterEnvironment(mark.environment)
  let backend: Backend
  let started: TypeOf<(typeof startSession)['result']>
  let pid: number
  /** From it only the API server is reached: whatever answers has been reached from the pod. */
  let laptop: Laptop
  let other: Awaited<ReturnType<typeof freshNamespace>>

  before(async () => {
    // A minute the first time, and no test should wait for it.
    compileCrate('tokio')
    other = await freshNamespace('programs')
    const pod = (await podsOf('web'))[0]!
    const read = ['-n', namespace, 'exec', pod.metadata.name, '--', 'cat', '/etc/nginx/web.crt']
    writeFileSync(certificate, `${await kubectl(read)}\n`)
    laptop = await startLaptop()
    backend = await startBackend(base, laptop.enter)
    started = await backend.connection.request(startSession, {
      target: 'deployment/checkout',
      config: configIn(namespace),
    })
    pid = await processOfPod(namespace, started.hostname)
    const connect = `exec 3<>/dev/tcp/silent.${other.name}/${silentPort}`
    await startSilent(other.name, async () => (await theirs(within(1, 'bash', '-c', connect))).code === 124)
  }).timeout(600_000)
  after(async () => {
    if (started !== undefined) await backend.connection.request(stopSession, { sessionId: started.sessionId })
    await backend?.stop()
    await laptop?.end()
    await untilNothing('processes of standin', () => processesOf(mark.value))
    await other?.remove()
    if (!process.env.STANDIN_TEST_SHARED) await untilNoAgents(namespace)
    rmSync(folder, { recursive: true })
  })

  const podsOf = async (app: string): Promise<{ metadata: { name: string } }[]> =>
    JSON.parse(await kubectl(['-n', namespace, 'get', 'pods', '-l', `app=${app}`, '-o', 'json'])).items
  const theirs = (command: string[], environment = {}): Promise<Ended> =>
    inPod(pid, command, { ...environmentOf(base, started), ...environment })

  async function compare(command: string[], told: RegExp, environment: Record<string, string> = {}) {
    const [ours, inside] = await Promise.all([
      inSession(backend, started, command, environment),
      theirs(command, environment),
    ])
    assert.match([...inside.stdout, ...inside.stderr, inside.code].join('\n'), told)
    assert.deepEqual(lasting(ours), lasting(inside))
  }

  for (const [name, { service, command, told, environment }] of Object.entries(rows)) {
    const [host, port] = service
    describe(name, () => {
      it('is answered', () => compare(command({ host, port, seconds: 20 }), told.answer, environment))
      it('is refused at a closed port', () =>
        // A service without an address of its own is its pod's address.
        compare(command({ host: 'db', port: closedPort, seconds: 20 }), told.refusal, environment))
      it('hears that a name does not exist', () =>
        compare(command({ host: 'nowhere', port, seconds: 20 }), told.missing, environment))
      it('gives up on a service that nobody answers', () =>
        compare(
          command({ host: `silent.${other.name}`, port: silentPort, seconds: 2 }),
          told.silence,
          environment,
        ))
    })
  }
})
