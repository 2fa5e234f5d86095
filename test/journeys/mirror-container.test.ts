// Mirroring from a container, from the name that a user gives to the bytes at the process: podman's, Docker's, and one that only containerd knows.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { launch } from '../../protocol/rpc/processes.ts'
import { startSession, stopSession } from '../../protocol/rpc/sessions.ts'
import { startBackend } from '../stage/backend.ts'
import { type Containers, startContainers } from '../stage/containers.ts'
import { markRun, processesOf, untilNothing } from '../stage/leftovers.ts'
import { linesOf } from '../stage/lines.ts'
import { programOf } from '../stage/pod.ts'

const port = 8080
const mark = markRun()
const isRequest = (line: string) => line.startsWith('/')

/** GET alone, and short: busybox's web server resets a connection of which it has not read all, and the copy is reset with it. */
const caller = `
const { randomBytes } = require('node:crypto')
const { get } = require('node:http')
const call = number => new Promise((done, fail) => {
  const path = '/' + number + '?' + randomBytes(1 + number * 25).toString('hex')
  get({ host: '127.0.0.1', port: ${port}, path, agent: false }, answer => {
    answer.resume().on('end', () => done(answer.statusCode + ' ' + path))
  }).on('error', fail)
})
const all = async () => { for (let number = 0; number < 40; number++) console.log(await call(number)) }
all().then(() => console.log('done'))`

describe('a container is mirrored by its name', () => {
  let containers: Containers
  before(async () => {
    containers = await startContainers()
  })
  afterEach(() => containers.clear())
  after(() => containers.end())

  const kinds = [
    {
      runtime: 'podman',
      async start() {
        await containers.startInPodman('shop', port)
        return containers.podman('inspect', '--format', '{{.State.Pid}}', 'shop')
      },
    },
    {
      runtime: 'docker',
      async start() {
        await containers.startInDocker('shop', port)
        return containers.docker('inspect', '--format', '{{.State.Pid}}', 'shop')
      },
    },
    {
      runtime: 'containerd',
      async start() {
        await containers.startInContainerd('default', 'shop', port)
        const tasks = await containers.ctr('-n', 'default', 'tasks', 'list')
        return /^shop\s+(\d+)/m.exec(tasks)?.[1] ?? ''
      },
    },
  ]
  for (const { runtime, start } of kinds)
    it(`of ${runtime}: the same bytes reach the process, the container alone answers, and nothing is left`, async () => {
      const pid = await start()
      const backend = await startBackend({ ...mark.environment, ...containers.env })
      try {
        const { sessionId, target } = await backend.connection.request(startSession, {
          target: 'container/shop',
        })
        assert.deepEqual([target.target, target.runtime], ['container/shop', runtime])
        const command = [process.execPath, programOf('hash-server.mjs'), String(port)]
        const { processId } = await backend.connection.request(launch, { sessionId, command })
        await backend.messages.until('the capture', line => line === `Port ${port} of the pod is captured`)
        const calls = spawn('nsenter', ['-t', pid, '-n', process.execPath, '-e', caller], {
          stdio: ['ignore', 'pipe', 'inherit'],
        })
        const lines = linesOf(calls.stdout)
        await lines.until("the callers' end", line => line === 'done', 60_000)
        const output = backend.output(processId)
        const sent = lines.all.slice(0, -1).map(line => line.split(' '))
        await output.untilCount('requests at the process', sent.length, isRequest)
        // There are no such files in the container; the process would have said 200.
        assert.deepEqual([...new Set(sent.map(([status]) => status))], ['404'])
        const got = output.all.filter(isRequest).map(line => line.split(' ')[0])
        assert.deepEqual(got.sort(), sent.map(([, path]) => path).sort())
        await backend.connection.request(stopSession, { sessionId })
        await backend.stop()
      } finally {
        backend.child.kill('SIGKILL')
      }
      await untilNothing('processes of standin', () => processesOf(mark.value))
    }).timeout(120_000)
})
